package mcpserver

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// A client that does not send its whole body gets an answer and is disconnected in
// time, whatever the answer is.
func TestBodyThatDoesNotCome(t *testing.T) {
	for _, test := range []struct{ name, head, want string }{
		{"served", "POST /mcp HTTP/1.1\r\nHost: localhost", "400 Bad Request"},
		{"wrong host", "POST /mcp HTTP/1.1\r\nHost: evil.example", "403 Forbidden"},
		{"wrong path", "POST / HTTP/1.1\r\nHost: localhost", "404 Not Found"},
		{"wrong method", "PUT /mcp HTTP/1.1\r\nHost: localhost", "405 Method Not Allowed"},
		{"DELETE without a session", "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: X", "404 Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := connect(t)
				began := time.Now()
				go io.WriteString(conn, test.head+"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{}")
				_ = conn.SetReadDeadline(began.Add(10 * requestPatience))
				got, err := io.ReadAll(conn)
				if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 "+test.want) {
					t.Errorf("got %q, %v", got, err)
				}
				if took := time.Since(began); took > requestPatience+time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// Once the whole request has come, it may take as long as an exchange, and the
// connection stays open.
func TestPatienceEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t)
		const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_packet","arguments":{"timeout_ms":90000},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
		for range 2 {
			go fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: read_packet\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			answer := make([]byte, 4096)
			n, err := conn.Read(answer)
			if err != nil || !strings.Contains(string(answer[:n]), "no packet in 90000 ms") {
				t.Errorf("got %q, %v", answer[:n], err)
			}
		}
	})
}

// connect serves HTTP over a pipe, whose deadlines use fake time, and returns the
// client's end.
func connect(t *testing.T) net.Conn {
	t.Helper()
	server, _ := onLink(t)
	return connectTo(t, server)
}

func connectTo(t *testing.T, server *server.MCPServer) net.Conn {
	t.Helper()
	client, accepted := net.Pipe()
	pipes := make(pipes, 1)
	pipes <- accepted
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&HTTP{listener: pipes, loopback: true}).Serve(ctx, server) }()
	t.Cleanup(func() {
		client.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return client
}

// pipes is a listener that accepts the connections sent to it.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8077} }
