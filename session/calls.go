package session

import (
	"context"
	"time"
)

// Call is one call of a tool by the agent.
type Call struct {
	Number   int       // 1 for a session's first; given when the call begins
	Tool     string    // its name
	Began    time.Time //
	CharsIn  int       // characters of the arguments, as the client sent them
	CharsOut int       // characters of the result
	Failed   bool      // the result was marked as an error
	Assist   string    // how much help it has with the bytes that it writes, see WithAssist; empty: not known
}

type callKey struct{}

// WithCall returns a context for what is read and written in a call, of which
// Number and Began must be set. Calls run at the same time: only the context
// tells which packet belongs to which.
func WithCall(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// WithAssist returns a context in which what is written had so much help: the
// watchers of the session are told.
func WithAssist(ctx context.Context, level string) context.Context {
	call := callOf(ctx)
	call.Assist = level
	return WithCall(ctx, call)
}

// callOf returns the call that ctx belongs to; its number is 0 if there is none.
func callOf(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	return call
}

// Called tells the watchers of a call that has just ended.
func (s *Session) Called(call Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The time is taken under the lock, as for every event: they are published
	// in the order of their times.
	s.publish(Event{Event: EventCall, Call: call.Number, Tool: call.Tool, Began: call.Began, Time: time.Now(),
		CharsIn: call.CharsIn, CharsOut: call.CharsOut, Failed: call.Failed})
}
