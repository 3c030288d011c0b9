package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// viewer shows events.
type viewer interface {
	See(session.Event) error
	Status(now time.Time) error // called about ten times a second
	Close() error               // takes the live line away; events may follow
}

// silent shows nothing. It says at once which packets the record has forgotten, and at its end
// how much was missed.
type silent struct {
	remarks io.Writer
	since   int // first packet asked for; 0 means new packets only
	begun   bool
	missed  int
}

func (s *silent) See(e session.Event) error {
	first := !s.begun
	s.begun = true
	if e.Event == session.EventMissed && first && s.since > 0 {
		fmt.Fprintf(s.remarks, "the record has forgotten %d packets, #%d to #%d\n", e.Missed, s.since, s.since+e.Missed-1)
		return nil
	}
	s.missed += e.Missed
	return nil
}

func (*silent) Status(time.Time) error { return nil }

func (s *silent) Close() error {
	if s.missed > 0 {
		fmt.Fprintf(s.remarks, "%d events were missed: what takes the capture is slower than the link\n", s.missed)
	}
	s.missed = 0
	return nil
}

// jsonLines prints each event as a line of JSON.
type jsonLines struct{ *json.Encoder }

func (j jsonLines) See(e session.Event) error { return j.Encode(e) }
func (jsonLines) Status(time.Time) error      { return nil }
func (jsonLines) Close() error                { return nil }
