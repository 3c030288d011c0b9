package trial

import (
	"context"
	"fmt"
	"time"
)

// unrecorded says from which packet on a session's recording, which is at path,
// has none; "" if it has all.
func (p *player) unrecorded(path string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // to write what waits
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := p.session.Status(ctx)
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
