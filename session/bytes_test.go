package session

import (
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The queue is bounded in bytes as well as packets, because the sender chooses the
// size.
func TestQueueIsBoundedInBytes(t *testing.T) {
	s := New(tuntest.NewDevice(), Config{Queue: MaxQueue})
	defer s.Close()
	for range 2 * queueBytes / packet.MaxLen {
		if _, err := s.Inject(make([]byte, packet.MaxLen)); err != nil {
			t.Fatal(err)
		}
	}
	c := s.Counters()
	if held := c.Queued * packet.MaxLen; held > queueBytes || held < queueBytes-packet.MaxLen {
		t.Errorf("%d packets with %d bytes are queued, want at most %d bytes", c.Queued, held, queueBytes)
	}
	if c.Received != c.Delivered+c.Queued+c.Dropped || c.Dropped == 0 {
		t.Errorf("counters %+v", c)
	}
	// Small packets can use the whole queue.
	for range 2 * MaxQueue {
		if _, err := s.Inject([]byte{0x45}); err != nil {
			t.Fatal(err)
		}
	}
	if c := s.Counters(); c.Queued != MaxQueue {
		t.Errorf("%d packets are queued, want %d", c.Queued, MaxQueue)
	}
}

func TestWatcherIsBoundedInBytes(t *testing.T) {
	s := New(tuntest.NewDevice(), Config{})
	defer s.Close()
	_, events, stop := s.Watch(0)
	defer stop()
	const many = 2 * watcherBytes / packet.MaxLen
	for range many {
		if _, err := s.Inject(make([]byte, packet.MaxLen)); err != nil {
			t.Fatal(err)
		}
	}
	s.Refused(make([]byte, packet.MaxLen), 0, &RateError{})
	held, seen := int64(0), len(events)
	for range seen {
		e := <-events
		held += e.weight()
		e.Describe()
	}
	if held > watcherBytes || held < watcherBytes-packet.MaxLen {
		t.Errorf("%d bytes waited, want at most %d", held, watcherBytes)
	}
	// Describing the events makes room again.
	if _, err := s.Inject(make([]byte, packet.MaxLen)); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.Event != EventMissed {
		t.Errorf("%v, want a missed event", e.Event)
	}
	if e := <-events; e.Event != EventPacket || e.Number != many+1 {
		t.Errorf("%v #%d, want packet #%d", e.Event, e.Number, many+1)
	}
}
