package session

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// Two calls run at the same time. Every event of a packet names the call that read or
// wrote it.
func TestEventsTellTheirCall(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, _ *tuntest.Device) {
		_, events, stop := s.Watch(0)
		defer stop()
		reading := Call{Number: 1, Tool: "read_packet", Began: time.Now(), CharsIn: 2}
		time.Sleep(time.Second)
		writing := Call{Number: 2, Tool: "write_packet", Began: time.Now(), CharsIn: 30, CharsOut: 4, Failed: true}
		time.Sleep(time.Second)
		if _, err := s.Write(WithCall(t.Context(), writing), echo(t, 0, 7, 1), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Inject(echo(t, 8, 7, 2)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(WithCall(t.Context(), reading), second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.Called(writing)
		s.Called(reading)
		if _, err := s.Write(context.Background(), echo(t, 0, 7, 2), 0); err != nil {
			t.Fatal(err)
		}
		var last time.Time
		for _, want := range []Event{
			{Event: EventPacket, Number: 1, Call: 2, Began: writing.Began},
			{Event: EventPacket, Number: 2},
			{Event: EventDelivered, Number: 2, Call: 1},
			{Event: EventCall, Call: 2, Tool: "write_packet", Began: writing.Began, CharsIn: 30, CharsOut: 4, Failed: true},
			{Event: EventCall, Call: 1, Tool: "read_packet", Began: reading.Began, CharsIn: 2},
			{Event: EventPacket, Number: 3},
		} {
			got := <-events
			if got.Time.Before(last) {
				t.Errorf("%s at %v is earlier than the previous event", got.Event, got.Time)
			}
			last = got.Time
			got = Event{Event: got.Event, Number: got.Number, Call: got.Call, Began: got.Began, Tool: got.Tool,
				CharsIn: got.CharsIn, CharsOut: got.CharsOut, Failed: got.Failed}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("event %+v, want %+v", got, want)
			}
		}
	})
}
