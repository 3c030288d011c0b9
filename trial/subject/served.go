package subject

import (
	"context"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// firstReadPatience is how long a served client may take to read for the first time. The
// user who starts that client has a limit of their own.
const firstReadPatience = 24 * time.Hour

// farewellPatience is how long a client may take to leave after it has learned that the
// trial is over.
const farewellPatience = 3 * time.Second

// serving is the MCP server in this process.
type serving struct {
	end    context.CancelFunc
	answer time.Duration // how long an answer may take

	mu   sync.Mutex // guards over
	over bool       // the trial has ended the link

	told chan struct{} // closed after the first answer to a call since then
	once sync.Once     // closes told
}

// serve starts serving the agent in this process. The end of ctx does not end the
// server: an interrupted trial ends it in stop, after the verdict.
func (s *Subject) serve(ctx context.Context, c *Config, flags []string) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	s.serving = &serving{end: end, answer: c.Deadline, told: make(chan struct{})}
	s.Patience = firstReadPatience
	go func() {
		s.failure = c.Serve(ctx, flags, s.serving.called)
		close(s.ended)
	}()
}

// called records that a call has ended.
func (v *serving) called(session.Call) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		v.once.Do(func() { close(v.told) })
	}
}

// finish records that the trial has ended the link, so answers to calls say so from now
// on.
func (v *serving) finish() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
}

// stop ends the server after the agent has learned that the trial is over and has left.
// It waits up to answer for the first and farewellPatience for the second.
func (v *serving) stop(ctx context.Context, ended <-chan struct{}) {
	defer func() {
		v.end()
		<-ended
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
		return
	case <-v.told:
	case <-time.After(v.answer):
		return
	}
	select {
	case <-ended:
	case <-ctx.Done():
	case <-time.After(farewellPatience):
	}
}
