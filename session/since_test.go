package session

import (
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A watcher that starts while packets cross sees each number once and in order, from
// the record and then from the link.
func TestWatchSinceHasNoGapAndNoDuplicate(t *testing.T) {
	const packets = 3000
	s := New(tuntest.NewDevice(), Config{Queue: MaxQueue})
	defer s.Close()
	var crossing sync.WaitGroup
	crossing.Go(func() {
		for range packets {
			if _, err := s.Inject([]byte{0x45}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for s.Counters().Received < packets/3 { // until about the middle
	}
	past, events, stop := s.Watch(1)
	defer stop()
	crossing.Wait()
	want := 1
	see := func(e Event) {
		if e.Event != EventPacket || e.Number != want {
			t.Fatalf("%+v, want packet #%d", e, want)
		}
		want++
	}
	for _, e := range past {
		see(e)
	}
	if len(past) < packets/3 {
		t.Errorf("%d packets came from the record, want at least %d", len(past), packets/3)
	}
	for want <= packets {
		select {
		case e := <-events:
			see(e)
		default:
			t.Fatalf("the events end before #%d", want)
		}
	}
}

// A watcher that asks for forgotten packets learns how many there are.
func TestWatchSinceOfForgottenPackets(t *testing.T) {
	s := New(tuntest.NewDevice(), Config{Queue: MaxQueue})
	defer s.Close()
	for range RecordPackets + 10 {
		if _, err := s.Inject([]byte{0x45}); err != nil {
			t.Fatal(err)
		}
	}
	past, _, stop := s.Watch(3)
	stop()
	if first := past[0]; first.Event != EventMissed || first.Missed != 8 {
		t.Errorf("the first event is %+v, want 8 packets missed: #3 to #10", first)
	}
	if second := past[1]; second.Number != 11 || len(past) != RecordPackets+1 {
		t.Errorf("the second event is %+v, of %d events", second, len(past))
	}
	for _, since := range []int{0, RecordPackets + 11, RecordPackets + 1000} {
		past, _, stop := s.Watch(since)
		stop()
		if len(past) != 0 {
			t.Errorf("since %d: %d past events", since, len(past))
		}
	}
}

// A replayed packet is the same event as a live one, except for its call.
func TestWatchSinceTellsTheSame(t *testing.T) {
	s := New(tuntest.NewDevice(), Config{})
	defer s.Close()
	_, events, stop := s.Watch(0)
	defer stop()
	if _, err := s.Inject(echo(t, 8, 1, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(t.Context(), echo(t, 0, 1, 1), 1); err != nil {
		t.Fatal(err)
	}
	past, _, stopPast := s.Watch(1)
	stopPast()
	for i, replayed := range past {
		live := <-events
		live.Describe()
		replayed.Describe()
		if live.Hex != replayed.Hex || live.Summary != replayed.Summary || !live.Time.Equal(replayed.Time) ||
			live.ReplyTo != replayed.ReplyTo || live.Response != replayed.Response || live.Injected != replayed.Injected {
			t.Errorf("event %d: live %+v, replayed %+v", i, live, replayed)
		}
	}
	e, answer, err := s.PacketEvent(1)
	if err != nil || answer != 2 || e.Summary != packet.Summary(echo(t, 8, 1, 1)) {
		t.Errorf("#1 is %+v, answered by #%d, %v", e, answer, err)
	}
	if _, _, err := s.PacketEvent(3); err == nil {
		t.Error("#3 has not crossed the link")
	}
}

// Events say when a read starts and stops waiting. The status says when the last call
// ended.
func TestReadersAreTold(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, _ *tuntest.Device) {
		_, events, stop := s.Watch(0)
		defer stop()
		began := time.Now()
		call := Call{Number: 7, Tool: "read_packet", Began: began}
		if _, err := s.Read(WithCall(t.Context(), call), ReadOptions{Timeout: time.Second, Max: 1}); err != nil {
			t.Fatal(err)
		}
		s.Called(call)
		for _, want := range []Event{{Event: EventReaders, Readers: 1, Call: 7}, {Event: EventReaders, Call: 7}, {Event: EventCall, Call: 7}} {
			if got := <-events; got.Event != want.Event || got.Readers != want.Readers || got.Call != want.Call {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		if last := s.Fill(Status{}).LastCall; last.Sub(s.steady(began)) != time.Second {
			t.Errorf("the last call ended at %v, want 1 s after %v", last, began)
		}
	})
}
