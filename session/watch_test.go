package session

import (
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// One who watches and never reads holds nothing up, and is told what it missed
// when it reads again.
func TestWatcherThatNeverReads(t *testing.T) {
	const packets = 3 * watcherBound
	s := New(tuntest.NewDevice(), Config{Queue: MaxQueue})
	defer s.Close()
	events, stop := s.Watch()
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
	// Beside the packets, those that fell out of the queue.
	all := packets + packets - MaxQueue
	if e := <-events; e.Event != EventMissed || e.Missed != all-seen {
		t.Errorf("%+v, want %d of %d events missed", e, all-seen, all)
	}
	if e := <-events; e.Event != EventPacket || e.Number != packets+1 {
		t.Errorf("%+v, want packet #%d", e, packets+1)
	}
	sum(t, s)
}

// One who fell behind is told how many events it missed, and of the end, though
// nothing more comes.
func TestWatcherBehindHearsTheEnd(t *testing.T) {
	s := New(tuntest.NewDevice(), Config{})
	events, stop := s.Watch()
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
			// A packet and a drop, once the queue is full, for each.
			if sent := many + many - DefaultQueue; heard+missed != sent || missed == 0 {
				t.Errorf("%d events came and %d were missed, of %d", heard, missed, sent)
			}
			return
		default:
			heard++
		}
	}
}
