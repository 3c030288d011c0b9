package control

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// serving runs a session on device with its control socket.
func serving(t *testing.T, device tun.Device) (*session.Session, *Server, *Client) {
	t.Helper()
	inFolder(t)
	listener, err := Claim("test")
	if err != nil {
		t.Fatal(err)
	}
	s := session.New(device, session.Config{Name: "test"})
	c := Serve(s, listener, func() session.Status { return s.Fill(session.Status{}) })
	t.Cleanup(func() { c.Close(); s.Close() })
	client, err := Find("test")
	if err != nil {
		t.Fatal(err)
	}
	return s, c, client
}

// answer reads one echo request and writes times replies.
func answer(t *testing.T, s *session.Session, times int) {
	t.Helper()
	b, err := s.Read(t.Context(), session.ReadOptions{Timeout: 20 * time.Second, Max: 1})
	if err != nil || len(b.Packets) != 1 {
		t.Fatalf("read %v, %v", b.Packets, err)
	}
	p := append([]byte(nil), b.Packets[0].Data...)
	if p[0]>>4 == 4 {
		copy(p[12:], b.Packets[0].Data[16:20])
		copy(p[16:], b.Packets[0].Data[12:16])
		p[20] = 0
	} else {
		copy(p[8:], b.Packets[0].Data[24:40])
		copy(p[24:], b.Packets[0].Data[8:24])
		p[40] = 129
	}
	if p, err = packet.Fix(p); err != nil {
		t.Fatal(err)
	}
	for range times {
		if _, err := s.Device().Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPing(t *testing.T) {
	s, _, client := serving(t, tuntest.OpenMemory(t, tuntest.Both))
	for _, is6 := range []bool{false, true} {
		conn, err := client.OpenPing(t.Context(), is6)
		if err != nil {
			t.Fatal(err)
		}
		from, kind := "10.77.0.2", uint8(0)
		if is6 {
			from, kind = "2001:db8:77::2", 129
		}
		for seq := uint16(65534); seq != 2; seq++ {
			if err := conn.Send(seq, []byte{1, 2, 3}); err != nil {
				t.Fatal(err)
			}
			answer(t, s, 2)
			for range 2 {
				a, err := conn.Receive()
				if err != nil || a.Seq != seq || a.From != from || a.Type != kind || a.TTL == 0 || a.Hex != "010203" || a.Received <= a.Sent || a.Sent == 0 {
					t.Errorf("%+v, %v", a, err)
				}
			}
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if _, err := conn.Receive(); !errors.Is(err, io.EOF) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestPingSaysWhatIsNotSent(t *testing.T) {
	_, _, client := serving(t, tuntest.OpenMemory(t, tuntest.Both))
	conn, err := client.OpenPing(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Send(9, make([]byte, 65508)); err != nil {
		t.Fatal(err)
	}
	if a, err := conn.Receive(); err != nil || a.Seq != 9 || !strings.Contains(a.Unsent, "at most 65507 bytes") {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := io.WriteString(conn.conn, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Receive(); err == nil || !strings.Contains(err.Error(), `the line is not {"seq"`) {
		t.Errorf("a line that is not a request: %v", err)
	}
}

func TestPingIsRefused(t *testing.T) {
	_, _, client := serving(t, tuntest.OpenMemory(t, tuntest.Both))
	response, err := client.http.Post("http://session/ping", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.refused(response); response.StatusCode != http.StatusUpgradeRequired || !strings.Contains(err.Error(), "Upgrade: "+UpgradePing) {
		t.Errorf("without an upgrade: %s, %v", response.Status, err)
	}
	for want, device := range map[string]tun.Device{
		"cannot send pings from its peer": tuntest.NewDevice(),
		"has none; use a private":         &tun.Link{Device: tuntest.NewDevice(), Addr: netip.MustParsePrefix("10.77.0.1/24")},
	} {
		t.Run(want, func(t *testing.T) {
			_, _, client := serving(t, device)
			if _, err := client.OpenPing(t.Context(), false); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}

// However a session ends, a ping and WaitEnd return the reason.
func TestEndIsTold(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(peer *fakePeer, c *Server)
		want string
	}{
		{"stopped", func(_ *fakePeer, c *Server) { c.Close() }, "session test has ended: its server was stopped"},
		{"link gone", func(peer *fakePeer, _ *Server) { peer.fail(errors.New("out of order")) }, "session test has ended: the device failed: out of order"},
		{"server gone", func(_ *fakePeer, c *Server) { c.server.Close(); c.close() }, "session test has ended: its server "},
	} {
		t.Run(c.name, func(t *testing.T) {
			peer := &fakePeer{closed: make(chan struct{})}
			_, control, client := serving(t, peer)
			conn, err := client.OpenPing(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			told := make(chan error, 2)
			body, err := client.send(t.Context(), http.MethodGet, "/end", nil)
			go func() { told <- client.end(t.Context(), body, err) }()
			go func() {
				_, err := conn.Receive()
				told <- err
			}()
			c.end(peer, control)
			for range 2 {
				err := <-told
				ended, ok := errors.AsType[*Ended](err)
				if !ok || !strings.HasPrefix(ended.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
			}
		})
	}
}

func TestWaitEndIsGivenUp(t *testing.T) {
	_, _, client := serving(t, tuntest.NewDevice())
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	if err := client.WaitEnd(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	client.Path, client.http = "", dial(SocketPath("nobody")).http
	if err := client.WaitEnd(t.Context()); err == nil || err.Error() != "session test has ended: its server is gone" {
		t.Errorf("with a dead server: %v", err)
	}
}
