package session

import (
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A watcher that does not read delays nothing. When it reads again, it learns how many
// events it missed.
func TestWatcherThatNeverReads(t *testing.T) {
	const packets = 3 * watcherBound
	s := New(tuntest.NewDevice(), Config{Queue: MaxQueue})
	defer s.Close()
	_, events, stop := s.Watch(0)
	defer stop()
	for range packets {
		if _, err := s.Inject(echo(t, 8, 1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	seen := len(events)
	for range seen {
		<-events
	}
	if _, err := s.Inject(echo(t, 8, 1, 2)); err != nil {
		t.Fatal(err)
	}
	// Besides the packets, there is an event for each one dropped from the queue.
	all := packets + packets - MaxQueue
	if e := <-events; e.Event != EventMissed || e.Missed != all-seen {
		t.Errorf("%+v, want %d of %d events missed", e, all-seen, all)
	}
	if e := <-events; e.Event != EventPacket || e.Number != packets+1 {
		t.Errorf("%+v, want packet #%d", e, packets+1)
	}
	sum(t, s)
}

// A watcher that fell behind gets the number of missed events, and the end event,
// even if nothing else comes.
func TestWatcherBehindHearsTheEnd(t *testing.T) {
	s := New(tuntest.NewDevice(), Config{})
	_, events, stop := s.Watch(0)
	defer stop()
	const many = watcherBound + 100
	for range many {
		if _, err := s.Inject([]byte{0x45}); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	heard, missed := 0, 0
	for e := range events {
		switch e.Event {
		case EventMissed:
			missed += e.Missed
		case EventEnd:
			// Each packet is an event, and once the queue is full also a drop.
			if sent := many + many - DefaultQueue; heard+missed != sent || missed == 0 {
				t.Errorf("%d events came and %d were missed, for %d packets", heard, missed, sent)
			}
			return
		default:
			heard++
		}
	}
}
