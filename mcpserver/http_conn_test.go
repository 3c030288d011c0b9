package mcpserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// waitingRead is an HTTP request that calls read_packet, in its wire format.
func waitingRead(id int) string {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"read_packet","arguments":{"timeout_ms":60000},%s}}`, id, metaOf2026)
	return fmt.Sprintf("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: read_packet\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// The server notices when a client leaves, even if it has sent more bytes after its
// request, and no packet is lost.
func TestClientLeavesBehindMoreBytes(t *testing.T) {
	for name, leave := range map[string]func(conn net.Conn){
		"nothing more":                func(conn net.Conn) { conn.Close() },
		"two bytes later":             func(conn net.Conn) { io.WriteString(conn, "\r\n"); conn.Close() },
		"two bytes, each by itself":   func(conn net.Conn) { io.WriteString(conn, "P"); io.WriteString(conn, "O"); conn.Close() },
		"another request":             func(conn net.Conn) { io.WriteString(conn, waitingRead(2)); conn.Close() },
		"more than is kept, and stay": func(conn net.Conn) { io.WriteString(conn, strings.Repeat("x", 2*maxAhead)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, device, ended := connectAndTell(t)
				if _, err := io.WriteString(conn, waitingRead(1)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				leave(conn)
				synctest.Wait() // no time passes
				select {
				case call := <-ended:
					if !call.Failed {
						t.Errorf("the read ended with %+v", call)
					}
				default:
					t.Error("the read did not end")
				}
				device.FromPeer(ping)
				synctest.Wait()
				if n := len(ended); n > 0 {
					t.Errorf("%d more calls have ended, so a packet was lost", n)
				}
			})
		})
	}
}

// A request sent early is served after the one in progress.
func TestPipelinedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, device, _ := connectAndTell(t)
		heard := make(chan string, 1)
		go func() {
			text, _ := io.ReadAll(conn)
			heard <- string(text)
		}()
		io.WriteString(conn, waitingRead(1))
		synctest.Wait()
		io.WriteString(conn, waitingRead(2))
		io.WriteString(conn, waitingRead(3)[:100])
		io.WriteString(conn, waitingRead(3)[100:])
		for range 3 {
			device.FromPeer(ping)
			time.Sleep(time.Second) // fake time; the read settles for 50 ms
		}
		conn.Close()
		text := <-heard
		for id := 1; id <= 3; id++ {
			for _, want := range []string{fmt.Sprintf(`"id":%d,"result"`, id), fmt.Sprintf(`"text":"#%d 28 bytes`, id)} {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in %s", want, text)
				}
			}
		}
	})
}

// connectAndTell is like connect, and also returns the link's peer and the ended calls.
func connectAndTell(t *testing.T) (net.Conn, *tuntest.Device, <-chan session.Call) {
	t.Helper()
	device := tuntest.NewDevice()
	s := session.New(device, session.Config{Name: "test"})
	t.Cleanup(func() { s.Close() })
	status := func() session.Status { return s.Fill(session.Status{Agent: "10.77.0.2", Peer: "10.77.0.1/24"}) }
	ended := make(chan session.Call, 10)
	host := &tools.Host{Session: s, Assist: tools.AssistFix, Status: status}
	server, err := New(Config{Version: "test", Tools: host.All(), Status: status, Called: func(c session.Call) { ended <- c }})
	if err != nil {
		t.Fatal(err)
	}
	return connectTo(t, server), device, ended
}

// A client that leaves is not an error, so it must not fill the log.
func TestLeavingDoesNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	s := serveTest(t)
	p := s.client(legacyEra)
	for range 10 {
		r := request(p.session, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		s.ServeHTTP(goneClient{http.Header{}}, r)
	}
	if text := log.String(); text != "" {
		t.Errorf("the log has %d lines: %.300s", strings.Count(text, "\n"), text)
	}
}

// goneClient is a ResponseWriter whose client has left.
type goneClient struct{ header http.Header }

func (g goneClient) Header() http.Header       { return g.header }
func (g goneClient) WriteHeader(int)           {}
func (g goneClient) Write([]byte) (int, error) { return 0, context.Canceled }
