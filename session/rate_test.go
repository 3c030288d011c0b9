package session

import (
	"errors"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestRateLimit(t *testing.T) {
	inBubble(t, Config{MaxPPS: 100}, func(t *testing.T, s *Session, d *tuntest.Device) {
		write := func() error {
			_, err := s.Write(t.Context(), echo(t, 0, 1, 1), 0)
			if err == nil {
				<-d.ToPeer
			}
			return err
		}
		some := func(want int) {
			t.Helper()
			for i := range want {
				if err := write(); err != nil {
					t.Fatalf("packet %d of %d: %v", i+1, want, err)
				}
			}
			err := write()
			limit, ok := errors.AsType[*RateError](err)
			if !ok || limit.MaxPPS != 100 {
				t.Fatalf("packet %d: %v, want a RateError", want+1, err)
			}
			if limit.Wait != 10*time.Millisecond {
				t.Errorf("the next may come in %v, want 10ms", limit.Wait)
			}
		}
		some(100) // a burst of one second's worth
		time.Sleep(10 * time.Millisecond)
		some(1)
		time.Sleep(500 * time.Millisecond)
		some(50)
		time.Sleep(time.Hour) // a pause does not allow more than a second's worth
		some(100)
		if got := s.Counters().Written; got != 251 {
			t.Errorf("%d written, want 251", got)
		}
	})
}

func TestNoRateLimit(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for range 3000 {
			if _, err := s.Write(t.Context(), echo(t, 0, 1, 1), 0); err != nil {
				t.Fatal(err)
			}
			<-d.ToPeer
		}
	})
}

// The wait in the error is never zero.
func TestRateErrorSaysWhatToDo(t *testing.T) {
	err := &RateError{MaxPPS: 1, Wait: 300 * time.Microsecond}
	want := "over the rate limit of 1 packets a second: write it again in 1 ms, and fewer at a time; the user can raise the limit with --max-pps N (0 means no limit)"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestRefusedForTheRateIsCounted(t *testing.T) {
	inBubble(t, Config{MaxPPS: 1}, func(t *testing.T, s *Session, _ *tuntest.Device) {
		s.Refused(nil, 0, errors.New("a fault"))
		s.Refused(nil, 0, &RateError{MaxPPS: 1})
		if c := s.Fill(Status{}); c.Counters.Refused != 2 || c.Counters.TooFast != 1 || c.MaxPPS != 1 {
			t.Errorf("status %+v", c)
		}
	})
}
