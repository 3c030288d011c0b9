package session

import (
	"context"
	"time"
)

// Call is one call of a tool by the agent.
type Call struct {
	Number   int       // 1 for the session's first call; assigned when the call begins
	Tool     string    // its name
	Began    time.Time //
	CharsIn  int       // characters of the arguments as the client sent them
	CharsOut int       // characters of the result
	Failed   bool      // the result is marked as an error
	Assist   string    // help with the bytes that it writes, see WithAssist; "" means unknown
}

type callKey struct{}

// WithCall returns a context for the reads and writes of a call, whose Number
// and Began must be set. Calls run concurrently; only the context tells which
// packet belongs to which call.
func WithCall(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// WithAssist returns a context for writes with that much help. Events of
// written packets show it.
func WithAssist(ctx context.Context, level string) context.Context {
	call := callOf(ctx)
	call.Assist = level
	return WithCall(ctx, call)
}

type beforeWaitKey struct{}

// WithBeforeWait returns a context for a call of a tool that calls f before it
// waits for a packet or does anything else that may take long. It may call f several
// times. Work that f does then delays no written packet.
func WithBeforeWait(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, beforeWaitKey{}, f)
}

// BeforeWait calls the function that WithBeforeWait was given, if any.
func BeforeWait(ctx context.Context) {
	if f, ok := ctx.Value(beforeWaitKey{}).(func()); ok {
		f()
	}
}

// callOf returns the call that ctx belongs to. Its number is 0 if there is
// none.
func callOf(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	return call
}

// Called publishes an event for a call that has just ended.
func (s *Session) Called(call Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// As for every event, the time is taken under the lock, so that events are
	// published in order of time.
	now := time.Now()
	s.lastCall = now
	s.publish(Event{Event: EventCall, Call: call.Number, Tool: call.Tool, Began: call.Began, Time: now,
		CharsIn: call.CharsIn, CharsOut: call.CharsOut, Failed: call.Failed})
}
