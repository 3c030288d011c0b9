package mcpserver

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The server notices in time that a client's machine vanished, even with data in
// flight.
func TestVanishedMachineIsFoundOut(t *testing.T) {
	const most = time.Second
	listener, err := listening(most).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tuntest.Vanish(t, client.(*net.TCPConn))
	if _, err := io.WriteString(conn, ": the call is under way\n\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * most)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("the server's end fails with %v, want %v", err, syscall.ETIMEDOUT)
	}
}
