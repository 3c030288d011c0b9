package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
)

// Each reason is logged once per agent, and each trouble once until it is over.
func TestLogOnce(t *testing.T) {
	var lines []string
	w := &Worker{logged: make(map[string]bool), Log: func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }}
	for range 3 {
		w.logOnce("a", "busy", "%s waits", "a_ping_fix_1")
		w.logOnce("b", "busy", "%s waits", "b_ping_fix_1")
		w.note("no server")
	}
	w.note("")
	w.note("no server")
	want := []string{"a_ping_fix_1 waits (the same for other cells of a is not logged)", "b_ping_fix_1 waits (the same for other cells of b is not logged)", "no server", "no server"}
	slices.Sort(lines)
	if !slices.Equal(lines, want) {
		t.Errorf("the log is\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// Cancelling a campaign stops the running trials. Pausing it does not. A new start
// makes the worker look for absent clients again.
func TestSetState(t *testing.T) {
	w := &Worker{changed: make(chan struct{}, 1), running: make(map[string]context.CancelCauseFunc), lacks: map[string]string{"a": "not found"}}
	ctx, cancel := context.WithCancelCause(t.Context())
	w.running["a_ping_fix_1"] = cancel
	for _, phase := range []string{queue.Paused, queue.Running, queue.Finished} {
		w.setState(queue.State{Phase: phase})
		if state, running := w.look(); state.Phase != phase || running != 1 || ctx.Err() != nil {
			t.Errorf("%s: %+v, %d running, %v", phase, state, running, context.Cause(ctx))
		}
		if lacks := len(w.lacks) > 0; lacks != (phase == queue.Paused) {
			t.Errorf("%s: a client is absent: %v", phase, lacks)
		}
		select {
		case <-w.changed:
		default:
			t.Errorf("%s does not wake the worker", phase)
		}
	}
	w.setState(queue.State{Phase: queue.Cancelled})
	if context.Cause(ctx) != errCancelled {
		t.Errorf("cancelled: %v", context.Cause(ctx))
	}
}
