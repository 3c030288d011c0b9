package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestReadSettles(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for i, after := range []int{100, 120, 149, 151} {
			time.AfterFunc(time.Duration(after)*time.Millisecond, func() { d.FromPeer(echo(t, 8, 1, uint16(i))) })
		}
		o := ReadOptions{Timeout: time.Second, Settle: 50 * time.Millisecond, Max: 8}
		if b, err := s.Read(t.Context(), o); err != nil || numbers(b) != "1 2 3" {
			t.Errorf("first read got %q, %v; want 1 2 3, which came within 50 ms", numbers(b), err)
		}
		if b, err := s.Read(t.Context(), o); err != nil || numbers(b) != "4" {
			t.Errorf("second read got %q, %v; want 4", numbers(b), err)
		}
		sum(t, s)
	})
}

// A read also settles after a packet that was queued before. The settle time then
// counts from the start of the read.
func TestReadSettlesForWhatWasQueued(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		d.FromPeer(echo(t, 8, 1, 1))
		time.Sleep(time.Minute)
		start := time.Now()
		time.AfterFunc(49*time.Millisecond, func() { d.FromPeer(echo(t, 8, 1, 2)) })
		time.AfterFunc(51*time.Millisecond, func() { d.FromPeer(echo(t, 8, 1, 3)) })
		b, err := s.Read(t.Context(), ReadOptions{Timeout: time.Second, Settle: 50 * time.Millisecond, Max: 8})
		if err != nil || numbers(b) != "1 2" || time.Since(start) != 50*time.Millisecond {
			t.Errorf("read %q, %v after %v; want 1 2 after 50 ms", numbers(b), err, time.Since(start))
		}
	})
}

// If another read takes its packet, a read settles again after the next one.
func TestReadSettlesAgain(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		first, slow := make(chan string, 1), make(chan string, 1)
		go func() {
			b, _ := s.Read(t.Context(), ReadOptions{Timeout: time.Minute, Settle: 10 * time.Millisecond, Max: 8})
			first <- numbers(b)
		}()
		go func() {
			b, _ := s.Read(t.Context(), ReadOptions{Timeout: time.Minute, Settle: 50 * time.Millisecond, Max: 8})
			slow <- numbers(b)
		}()
		for i, after := range []int{100, 1000, 1040} { // the second reader finds nothing at 150
			time.AfterFunc(time.Duration(after)*time.Millisecond, func() { d.FromPeer(echo(t, 8, 1, uint16(i))) })
		}
		if a, b := <-first, <-slow; a != "1" || b != "2 3" {
			t.Errorf("the readers got %q and %q, want 1, and 2 3", a, b)
		}
		sum(t, s)
	})
}

func TestReadDoesNotSettleOnceItHasAll(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for i := range 3 {
			d.FromPeer(echo(t, 8, 1, uint16(i)))
		}
		synctest.Wait()
		start := time.Now()
		b, err := s.Read(t.Context(), ReadOptions{Timeout: time.Second, Settle: time.Minute, Max: 2})
		if err != nil || numbers(b) != "1 2" || b.Queued != 1 || time.Since(start) != 0 {
			t.Errorf("read %q, %v, %d queued, after %v; want 1 2 at once, 1 queued", numbers(b), err, b.Queued, time.Since(start))
		}
	})
}
