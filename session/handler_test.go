package session

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// pinger answers echo requests with an even sequence number, drops those with
// number 7, and passes the others on.
const pinger = `
def handle(p):
    if p.u16(26) == 7:
        return []
    if p[20] != 8 or p.u16(26) % 2:
        return None
    p.swap(12, 16, 4)
    p[20] = 0
    sum = p.u16(22) + 0x0800
    p.put16(22, (sum & 0xffff) + (sum >> 16))
    return [p]
`

func install(t testing.TB, s *Session, source string) {
	t.Helper()
	h, err := handler.Load(source, handler.Options{Fix: true})
	if err == nil {
		_, err = s.Install(t.Context(), h)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The handler's answers are numbered, recorded, timed and published as its own.
// Packets that it drops are counted. Packets that it passes on are read with their
// time of arrival.
func TestHandler(t *testing.T) {
	path := filepath.Join(t.TempDir(), "link.pcapng")
	recorder, err := OpenRecorder(path, "s", "test", func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, Config{Check: true, Record: recorder}, func(t *testing.T, s *Session, d *tuntest.Device) {
		_, events, stop := s.Watch(0)
		defer stop()
		install(t, s, pinger)
		for _, seq := range []uint16{2, 3, 7, 4} {
			d.FromPeer(echo(t, 8, 1, seq))
		}
		synctest.Wait()
		for _, seq := range []uint16{2, 4} {
			if got := <-d.ToPeer; !bytes.Equal(got, echo(t, 0, 1, seq)) {
				t.Errorf("%s", packet.Summary(got))
			}
		}
		time.Sleep(3 * time.Second) // fake time: the packet that was passed on waits
		batch, err := s.Read(t.Context(), ReadOptions{Max: 8})
		if err != nil || len(batch.Packets) != 1 || batch.Packets[0].Number != 3 || batch.Packets[0].Waited != 3*time.Second || batch.Packets[0].Failed != "" || batch.Notice != "" {
			t.Errorf("%+v, %v", batch, err)
		}
		c := s.Counters()
		if c.Received != 4 || c.Handled != 3 || c.Delivered != 1 || c.Written != 2 || c.Queued+c.Dropped != 0 {
			t.Errorf("%+v", c)
		}
		status := s.Fill(Status{})
		if h := status.Handler; h == nil || !h.Installed || h.Version != 1 || h.Seen != 4 || h.Answered != 2 || h.Dropped != 1 || h.Passed != 1 || h.Failed != 0 || h.Written != 2 || h.Chars != len(pinger) {
			t.Errorf("%+v", status.Handler)
		}
		if status.Responses.Answered != 2 {
			t.Errorf("%+v", status.Responses)
		}
		var lines []string
		for len(events) > 0 {
			e := <-events
			if e.Event == EventPacket || e.Event == EventHandler {
				lines = append(lines, fmt.Sprintf("%s %d %s to %d by handler %v %s", e.Event, e.Number, e.Direction, e.ReplyTo, e.Handler, e.Why))
			}
		}
		want := []string{
			"handler 0  to 0 by handler false installed",
			"packet 1 read to 0 by handler false ", "packet 2 write to 1 by handler true ",
			"packet 3 read to 0 by handler false ", "packet 4 read to 0 by handler false ", "handler 4  to 0 by handler false dropped",
			"packet 5 read to 0 by handler false ", "packet 6 write to 5 by handler true ",
		}
		if strings.Join(lines, "\n") != strings.Join(want, "\n") {
			t.Errorf("events\n%s", strings.Join(lines, "\n"))
		}
	})
	recording, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(recording, []byte("#6 reply to #5, 0.000000 s, by the handler")) {
		t.Errorf("the recording does not mention the handler, %v", err)
	}
}

// If a handler fails, for whatever reason, its packet reaches the agent with the
// reason and the link continues. After ten failures in a row the handler is removed,
// and the agent is told once.
func TestHandlerFails(t *testing.T) {
	long := "def handle(p):\n  p.append(packet(2000))\n  return [fix(p)]"
	for name, c := range map[string]struct {
		source, why string
		config      Config
	}{
		"endless loop":       {"def handle(p):\n  for i in range(1 << 60):\n    pass", "over 100000 steps", Config{}},
		"string repeated":    {"def handle(p):\n  return 'x' * (1 << 30)", "memory", Config{}},
		"string doubled":     {"def handle(p):\n  s = 'x'\n  for i in range(60):\n    s += s", "memory", Config{}},
		"10,000 packets":     {"def handle(p):\n  return [p] * 10000", "10000 packets", Config{}},
		"itself":             {"def handle(p):\n  return handle", "function", Config{}},
		"recursion":          {"def handle(p):\n  return handle(p)", "recursion", Config{}},
		"a patch outside":    {"def handle(p):\n  p[900] = 1", "outside|900", Config{}},
		"cut to nothing":     {"def handle(p):\n  p.cut(0)\n  return [p]", "the packet is empty", Config{}},
		"over the MTU":       {long, "over the link's MTU of 1500", Config{MTU: 1500}},
		"a foreign address":  {"def handle(p):\n  p[16] = 192\n  return [fix(p)]", "is outside [10.77.0.0/24]", Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}}},
		"a wrong checksum":   {"def handle(p):\n  p[27] = 99\n  return [p]", "ICMP checksum is", Config{Check: true}},
		"the second is bad":  {"def handle(p):\n  q = p.copy()\n  q.cut(3)\n  return [p, q]", "not sent (2 of 2)", Config{}},
		"state without end":  {"def handle(p):\n  state[len(state)] = 'x' * 8000000\n  return []", "state", Config{}},
		"an error after ten": {"def handle(p):\n  if p.u16(26) >= 10:\n    fail('odd')\n  return []", "odd", Config{}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, c.config, func(t *testing.T, s *Session, d *tuntest.Device) {
				install(t, s, c.source)
				const sent = 40
				for seq := range uint16(sent) {
					d.FromPeer(echo(t, 8, 1, seq))
				}
				synctest.Wait()
				view := s.Handler()
				if view.Installed || view.Failed < FailuresInARow || !strings.Contains(view.Out, "10 failures in a row") || view.Written != 0 {
					t.Errorf("%+v", view.HandlerStatus)
				}
				batch, err := s.Read(t.Context(), ReadOptions{Max: 64})
				if err != nil || uint64(len(batch.Packets)) != sent-view.Dropped || !strings.Contains(batch.Notice, "taken out after 10 failures") {
					t.Fatalf("%d packets, notice %q, %v", len(batch.Packets), batch.Notice, err)
				}
				failed := 0
				for _, p := range batch.Packets {
					if p.Failed == "" {
						continue
					}
					failed++
					found := false
					for _, why := range strings.Split(c.why, "|") {
						found = found || strings.Contains(p.Failed, why)
					}
					if !found {
						t.Errorf("#%d: %s", p.Number, p.Failed)
					}
				}
				if uint64(failed) != view.Failed {
					t.Errorf("%d packets came with a reason, %d failed", failed, view.Failed)
				}
				if len(d.ToPeer) != 0 {
					t.Errorf("%d packets were sent", len(d.ToPeer))
				}
				if again, err := s.Read(t.Context(), ReadOptions{Max: 8}); err != nil || again.Notice != "" {
					t.Errorf("the notice came again: %q, %v", again.Notice, err)
				}
				if _, err := s.Write(t.Context(), echo(t, 0, 1, 3), 0); err != nil {
					t.Errorf("the link does not continue: %v", err)
				}
			})
		})
	}
}

// If an answer exceeds the rate limit, it is not sent and the packet reaches the
// agent. The handler stays, because it did nothing wrong.
func TestHandlerTooFast(t *testing.T) {
	inBubble(t, Config{MaxPPS: 5}, func(t *testing.T, s *Session, d *tuntest.Device) {
		install(t, s, pinger)
		for range 50 {
			d.FromPeer(echo(t, 8, 1, 2))
		}
		synctest.Wait()
		view, c := s.Handler(), s.Counters()
		if !view.Installed || view.Answered != 5 || view.Failed != 45 || c.Queued != 45 || c.TooFast != 45 || c.Refused != 45 || len(d.ToPeer) != 5 {
			t.Errorf("%+v %+v", view.HandlerStatus, c)
		}
		if batch, err := s.Read(t.Context(), ReadOptions{Max: 1}); err != nil || !strings.Contains(batch.Packets[0].Failed, "rate limit of 5 packets a second") {
			t.Errorf("%+v, %v", batch, err)
		}
	})
}

// tick runs every 100 ms until the handler is replaced, and can send packets. The
// handler is removed if tick fails ten times in a row.
func TestHandlerTick(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		install(t, s, "def handle(p):\n  state['p'] = p\n  return []\ndef tick(ms):\n  if 'p' in state and ms % 200 == 0:\n    return [state['p']]")
		d.FromPeer(echo(t, 8, 1, 1))
		time.Sleep(1050 * time.Millisecond)
		if n := len(d.ToPeer); n != 5 {
			t.Errorf("%d packets in a second", n)
		}
		install(t, s, "def handle(p):\n  return []")
		time.Sleep(time.Second)
		if n := len(d.ToPeer); n != 5 {
			t.Errorf("%d packets: the replaced handler's tick still ran", n)
		}
		install(t, s, "def handle(p):\n  return []\ndef tick(ms):\n  for i in range(1 << 60):\n    pass")
		time.Sleep(time.Second + 50*time.Millisecond)
		view := s.Handler()
		if view.Installed || view.Version != 3 || view.TickFails != 10 || !strings.Contains(view.Out, "tick: ") {
			t.Errorf("%+v", view.HandlerStatus)
		}
		batch, err := s.Read(t.Context(), ReadOptions{Max: 1})
		if err != nil || !strings.Contains(batch.Notice, "over 100000 steps") {
			t.Errorf("%+v, %v", batch, err)
		}
	})
}

// While the handler is replaced, each packet is handled by exactly one version, in
// order, and none is lost.
func TestHandlerReplaced(t *testing.T) {
	d := tuntest.NewDevice()
	s := New(d, Config{Queue: MaxQueue})
	defer s.Close()
	const packets, versions = 4000, 50
	source := func(version int) string {
		return fmt.Sprintf("def handle(p):\n  p.append(bytes([%d]))\n  return [p]\ndef tick(ms):\n  return None", version)
	}
	install(t, s, source(0))
	// The peer sends the second half only when many versions have been installed, however
	// fast the handler is.
	half := make(chan struct{})
	go func() {
		for seq := range uint16(packets) {
			if seq == packets/2 {
				<-half
			}
			d.FromPeer(echo(t, 8, 1, seq))
		}
	}()
	seen, version := make(map[byte]bool), 0
	for seq := range packets {
		if seq%(packets/versions) == 0 {
			version++
			install(t, s, source(version))
		}
		if seq == packets/2-1 {
			close(half)
		}
		got := <-d.ToPeer
		if number := int(got[26])<<8 | int(got[27]); number != seq || len(got) != 29 {
			t.Fatalf("answer %d is to %d, %d bytes", seq, number, len(got))
		}
		seen[got[28]] = true
	}
	if len(seen) < 2 {
		t.Errorf("%d versions handled packets", len(seen))
	}
	if c := s.Counters(); c.Handled != packets || c.Received != packets || c.Written != packets {
		t.Errorf("%+v", c)
	}
}

// A session can close while its handler runs, and then accepts no other.
func TestHandlerAtTheEnd(t *testing.T) {
	d := tuntest.NewDevice()
	s := New(d, Config{})
	install(t, s, pinger+"def tick(ms):\n  return [packet(20)]")
	for range 100 {
		d.FromPeer(echo(t, 8, 1, 2))
	}
	<-d.ToPeer
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v", err)
	}
	if view := s.Handler(); view.Version != 1 || view.Source == "" {
		t.Errorf("%+v", view)
	}
}
