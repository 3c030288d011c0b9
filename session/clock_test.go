package session

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// step returns t as if the system's clock had been set forward by by: the wall clock
// reading differs, the monotonic one does not. Package time cannot make such a time.
// The field has 33 bits of seconds above 30 bits of nanoseconds.
func step(t time.Time, by time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t)) // the first field
	*wall += uint64(by/time.Second) << 30
	return t
}

func TestStep(t *testing.T) {
	now := time.Now()
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		stepped := step(now, by)
		if stepped.Round(0).Sub(now.Round(0)) != by || stepped.Sub(now) != 0 {
			t.Fatalf("%v stepped by %v is %v: this version of Go stores times differently", now, by, stepped)
		}
	}
}

// Setting the clock does not change the durations that a session reports: how long a
// packet waited and how long its answer took. The test uses real time, because times
// in a synctest bubble have no monotonic reading. A wrong result is off by an hour.
func TestClockJump(t *testing.T) {
	const most = 30 * time.Minute
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			s := New(tuntest.NewDevice(), Config{})
			defer s.Close()
			p, err := s.Inject(echo(t, 8, 1, 1))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.steady(step(time.Now(), by)).Sub(s.started.Round(0)); got < 0 || got > most {
				t.Errorf("an event of now is %v after the start", got)
			}
			p.Time = step(p.Time, by) // the clock was different when it came
			b, err := s.Read(t.Context(), second)
			if err != nil || len(b.Packets) != 1 || b.Packets[0].Waited < 0 || b.Packets[0].Waited > most {
				t.Errorf("%+v, %v, want a packet that waited a moment", b, err)
			}
			answer, err := s.Write(t.Context(), echo(t, 0, 1, 1), 0)
			if err != nil || answer.ReplyTo != 1 || answer.Response < b.Packets[0].Waited || answer.Response > most {
				t.Errorf("%+v, %v, want an answer after a moment", answer, err)
			}
			if r := s.Fill(Status{}).Responses; r.Answered != 1 || r.Min < 0 || r.Max > float64(most.Milliseconds()) {
				t.Errorf("response times %+v", r)
			}
		})
	}
}
