package cli

import (
	"context"
	"errors"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
)

// pulseEvery is how often a watch asks whether the session's server answers.
const pulseEvery = 2 * time.Second

// pulse tells when the session's server no longer answers, and when it does
// again, until ctx ends.
func pulse(ctx context.Context, client *control.Client, changes chan<- bool) {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for was := false; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		_, err := client.StatusSoon(ctx)
		if silent := errors.Is(err, control.ErrSilent); silent != was {
			select {
			case changes <- silent:
				was = silent
			case <-ctx.Done():
				return
			}
		}
	}
}
