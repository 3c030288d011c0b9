package session

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// After End, reads, writes and Err return its reason, and no packet crosses the link.
// The first reason stays.
func TestEnd(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		failed := make(chan error)
		go func() {
			_, err := s.Read(t.Context(), second)
			failed <- err
		}()
		synctest.Wait()
		if err := s.End("the trial is over"); err != nil {
			t.Error(err)
		}
		_, written := s.Write(t.Context(), echo(t, 0, 1, 1), 0)
		for what, err := range map[string]error{"the read that waited": <-failed, "a write": written, "the session": s.Err()} {
			ended, ok := errors.AsType[*EndedError](err)
			if !ok || ended.Why != "the trial is over" || !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := errors.Join(s.End("another"), s.Close()); err != nil {
			t.Error(err)
		}
		if err := s.Err(); err.Error() != "the link has ended: the trial is over" {
			t.Errorf("then: %v", err)
		}
	})
}

func TestEndLeavesWhatIsQueued(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		d.FromPeer(echo(t, 8, 1, 1))
		synctest.Wait()
		if err := s.End("enough"); err != nil {
			t.Error(err)
		}
		if b, err := s.Read(t.Context(), second); err != nil || numbers(b) != "1" {
			t.Errorf("queued packets should still be read, got %q, %v", numbers(b), err)
		}
		sum(t, s)
	})
}
