package mcpserver

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The two eras of MCP: with sessions and without.
const (
	legacyEra = "2025-11-25"
	modernEra = "2026-07-28"
)

func bothEras(t *testing.T, test func(t *testing.T, era string)) {
	for _, era := range []string{legacyEra, modernEra} {
		t.Run(era, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, era) }) })
	}
}

// served is a server's handler on a link whose peer is the test. It uses only channels,
// so it works in a synctest bubble.
type served struct {
	http.Handler
	t      *testing.T
	device *tuntest.Device
	stop   func() // ends the server, as a signal would
	calls  *openCalls
	server *server.MCPServer
}

var errTold = errors.New("told to end")

func serveTest(t *testing.T) *served {
	t.Helper()
	server, device := onLink(t)
	calls, stop := newOpenCalls()
	t.Cleanup(func() { stop(nil) })
	return &served{Handler: (&HTTP{loopback: true}).handler(server, calls), t: t, device: device, stop: func() { stop(errTold) }, calls: calls, server: server}
}

// onLink returns a server on a link whose peer is the test.
func onLink(t *testing.T) (*server.MCPServer, *tuntest.Device) {
	t.Helper()
	device := tuntest.NewDevice()
	s := session.New(device, session.Config{Name: "test"})
	t.Cleanup(func() { s.Close() })
	status := func() session.Status { return s.Fill(session.Status{Agent: "10.77.0.2", Peer: "10.77.0.1/24"}) }
	host := &tools.Host{Session: s, Assist: tools.AssistFix, Status: status}
	server, err := New(Config{Version: "test", Tools: host.All(), Status: status})
	if err != nil {
		t.Fatal(err)
	}
	return server, device
}

// peer is a client of a served.
type peer struct {
	*served
	era, session string
}

// client returns a client of an era, initialized if the era has sessions.
func (s *served) client(era string) *peer {
	s.t.Helper()
	p := &peer{served: s, era: era}
	if era == legacyEra {
		w := p.post(s.t.Context(), `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`)
		if p.session = w.Header().Get(mcp.HeaderSessionID); w.Code != http.StatusOK || p.session == "" {
			s.t.Fatalf("initialize: %d %s", w.Code, w.Body)
		}
	}
	return p
}

func (p *peer) post(ctx context.Context, body string) *httptest.ResponseRecorder {
	r := request(p.session, body).WithContext(ctx)
	r.Header.Set(mcp.HeaderProtocolVersion, p.era)
	if p.era == modernEra {
		var m struct {
			Method string
			Params struct{ Name, URI string }
		}
		_ = json.Unmarshal([]byte(body), &m) // a strange message has neither
		if len(m.Method) <= longestID && plain(m.Method) {
			r.Header.Set("Mcp-Method", m.Method)
		}
		if name := cmp.Or(m.Params.Name, m.Params.URI); len(name) <= longestID && plain(name) {
			r.Header.Set("Mcp-Name", name)
		}
	}
	return answerTo(p.served, r)
}

// request returns a request of revision 2025-11-25, in a session unless that is "".
func request(session, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8077/mcp", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if session != "" {
		r.Header.Set(mcp.HeaderSessionID, session)
	}
	return r
}

func answerTo(s *served, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// read calls read_packet and returns the text for the model.
func (p *peer) read(ctx context.Context, id int, arguments string) string {
	meta := ""
	if p.era == modernEra {
		meta = `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	}
	w := p.post(ctx, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"read_packet","arguments":%s%s}}`, id, arguments, meta))
	return said(w)
}

// said returns the text of a tool's result, which may be in an event.
func said(w *httptest.ResponseRecorder) string {
	data := w.Body.String()
	if _, event, ok := strings.Cut(data, "event: message\ndata: "); ok {
		data = event
	}
	var answer struct {
		Result struct{ Content []struct{ Text string } }
	}
	if err := json.Unmarshal([]byte(data), &answer); err != nil || len(answer.Result.Content) != 1 {
		return fmt.Sprintf("%d %s", w.Code, w.Body)
	}
	return answer.Result.Content[0].Text
}

// begin starts a read that waits, and returns the channel for its answer.
func (p *peer) begin(ctx context.Context, id int) <-chan string {
	said := make(chan string, 1)
	go func() { said <- p.read(ctx, id, `{"timeout_ms": 60000}`) }()
	synctest.Wait()
	return said
}

func (p *peer) cancel(id int) {
	p.t.Helper()
	w := p.post(p.t.Context(), fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, id))
	if w.Code != http.StatusAccepted {
		p.t.Errorf("the cancellation got %d %s", w.Code, w.Body)
	}
	synctest.Wait()
}

// wants checks that a read has ended and that its result has want in it.
func (s *served) wants(said <-chan string, want string) {
	s.t.Helper()
	select {
	case got := <-said:
		if !strings.Contains(got, want) {
			s.t.Errorf("the read said %q, want %q in it", got, want)
		}
	default:
		s.t.Errorf("the read has not ended, want %q", want)
	}
}

// waits checks that a read has not ended.
func (s *served) waits(said <-chan string) {
	s.t.Helper()
	select {
	case got := <-said:
		s.t.Errorf("the read ended with %q", got)
	default:
	}
}

// ping sends an echo request from the peer.
var ping = []byte{0x45, 0, 0, 28, 0, 0, 0x40, 0, 0x40, 1, 0x26, 0x6e, 10, 77, 0, 1, 10, 77, 0, 2, 8, 0, 0xf7, 0xfe, 0, 0, 0, 1}

func TestCancelledReadTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p := s.client(legacyEra)
		said := p.begin(t.Context(), 1)
		p.cancel(1)
		s.wants(said, "the read was cancelled and took no packet")
		s.device.FromPeer(ping)
		if got := p.read(t.Context(), 2, `{}`); !strings.HasPrefix(got, "#1 28 bytes") {
			t.Errorf("the next read got %q", got)
		}
	})
}

func TestVanishedClientTakesNothing(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		s := serveTest(t)
		gone, vanish := context.WithCancel(t.Context())
		said := s.client(era).begin(gone, 1)
		vanish()
		synctest.Wait()
		s.wants(said, "200 ") // an empty result
		s.device.FromPeer(ping)
		if got := s.client(era).read(t.Context(), 1, `{}`); !strings.HasPrefix(got, "#1 28 bytes") {
			t.Errorf("the other client got %q", got)
		}
	})
}

// All clients count their requests from 1, so their ids collide.
func TestClientsOfTheSameID(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		s := serveTest(t)
		one, two := s.client(era), s.client(era)
		first, second := one.begin(t.Context(), 1), two.begin(t.Context(), 1)
		one.cancel(1)
		if era == legacyEra {
			s.wants(first, "the read was cancelled")
		} else {
			s.waits(first) // only closing the connection cancels
		}
		s.waits(second)
		s.stop()
		synctest.Wait()
	})
}

// A late cancellation does not end another client's call with the same id. Revision
// 2026-07-28 has no sessions to tell clients apart, so only closing the connection
// cancels.
func TestCancellationAcrossClients(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		s := serveTest(t)
		one, two := s.client(era), s.client(era)
		waiting := one.begin(t.Context(), 5)
		two.read(t.Context(), 5, `{"timeout_ms": 0}`)
		two.cancel(5)
		s.waits(waiting)
		s.stop()
		synctest.Wait()
	})
}

// Over HTTP a cancellation may arrive before its request.
func TestCancellationOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p := s.client(legacyEra)
		p.cancel(7)
		s.wants(p.begin(t.Context(), 7), "the read was cancelled")
		p.cancel(8)
		time.Sleep(overtaken + time.Second)
		said := p.begin(t.Context(), 8)
		s.waits(said)
		p.cancel(8)
		s.wants(said, "the read was cancelled")
	})
}

func TestStopAnswersWhatWaits(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		s := serveTest(t)
		p := s.client(era)
		said := p.begin(t.Context(), 1)
		s.stop()
		synctest.Wait()
		const want = "this server is ending (told to end)"
		s.wants(said, want)
		s.wants(p.begin(t.Context(), 2), want)
	})
}

func TestEachPacketOnce(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		const clients, packets = 16, 200 // packets fit into the queue
		s := serveTest(t)
		var mu sync.Mutex
		given := map[string]int{}
		var readers sync.WaitGroup
		for range clients {
			p := s.client(era)
			readers.Go(func() {
				for id := 1; ; id++ {
					text := p.read(t.Context(), id, `{"timeout_ms": 1000, "max_packets": 3, "settle_ms": 1}`)
					if strings.HasPrefix(text, "no packet") {
						return
					}
					mu.Lock()
					for line := range strings.Lines(text) {
						if strings.HasPrefix(line, "#") {
							given[strings.Fields(line)[0]]++
						}
					}
					mu.Unlock()
				}
			})
		}
		for range packets {
			s.device.FromPeer(ping)
		}
		readers.Wait()
		for number, times := range given {
			if times != 1 {
				t.Errorf("packet %s was read %d times", number, times)
			}
		}
		if len(given) != packets {
			t.Errorf("%d of %d packets were read", len(given), packets)
		}
	})
}
