package subject

import (
	"context"
	"fmt"
	"time"
)

// Unrecorded returns a message if the session's recording at path stopped early, or ""
// if it has every packet. It waits up to 1 s for the last packets to be written.
func (s *Subject) Unrecorded(path string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := s.Session.Status(ctx)
		if err != nil || status.Recording == nil {
			return ""
		}
		r := status.Recording
		if r.Stopped != "" {
			return fmt.Sprintf("the recording %s stopped after packet #%d: %s", path, r.Packets, r.Why)
		}
		if r.Packets >= int(status.Counters.Received+status.Counters.Written) {
			return ""
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ""
		}
	}
}
