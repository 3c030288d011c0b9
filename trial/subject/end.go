package subject

import (
	"context"
	"os"
	"time"

	"github.com/tun-mcp/tun-mcp/child"
)

// dismiss ends the link of a session that the trial has started, so that an agent
// waiting for a packet learns at once that no more will come. It leaves a session alone
// that was already running.
func (s *Subject) dismiss() {
	if s.command == nil && s.serving == nil {
		return
	}
	if s.serving != nil {
		s.serving.finish()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = s.Session.End(ctx, "the trial is over") // fails if the session has ended
}

// End ends the link of a session that the trial has started, and then its agent. An
// agent that reports its usage first gets endPatience to end by itself.
func (s *Subject) End(ctx context.Context) {
	s.dismiss()
	patience := time.Duration(0)
	if s.tells {
		patience = endPatience
	}
	s.stop(ctx, patience)
}

// stop ends the agent, after waiting up to patience for it to end by itself.
func (s *Subject) stop(ctx context.Context, patience time.Duration) {
	if s.unwatch != nil {
		s.unwatch()
	}
	if s.folder != "" {
		defer os.RemoveAll(s.folder)
	}
	if s.serving != nil {
		s.serving.stop(ctx, s.ended)
		return
	}
	if s.command == nil {
		return
	}
	if s.stdin != nil {
		_ = s.stdin.Close() // fails if the server has ended
	}
	if patience > 0 {
		select {
		case <-s.ended:
			return
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
	_ = child.Interrupt(s.command) // fails if the agent has ended
	select {
	case <-s.ended:
	case <-time.After(closePatience):
		_ = child.Kill(s.command)
		<-s.ended
	}
}

// fail ends at once everything that Start has started.
func (s *Subject) fail(ctx context.Context) {
	if s.serving != nil {
		s.serving.end()
	}
	s.stop(ctx, 0)
}
