package trial

import (
	"context"
	"os"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/child"
)

// dismiss ends the link of a session that the trial has started: an agent that
// waits for a packet learns at once that no more come. A running session is its
// user's.
func (p *player) dismiss() {
	if p.command == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = p.session.End(ctx, "the trial is over") // it fails if the session is gone
}

// stop ends the agent. For so long it may first come to its own end, and tell
// what it has to tell.
func (p *player) stop(ctx context.Context, patience time.Duration) {
	if p.folder != "" {
		defer os.RemoveAll(p.folder)
	}
	if p.command == nil {
		return
	}
	if patience > 0 {
		select {
		case <-p.ended:
			return
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
	_ = child.Interrupt(p.command) // it has ended if this fails
	select {
	case <-p.ended:
	case <-time.After(closePatience):
		_ = child.Kill(p.command)
		<-p.ended
	}
}
