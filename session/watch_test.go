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
