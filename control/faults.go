package control

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
)

// faults lists the errors of a peer's connection that keep their identity on
// the way to the command that dialled: errors.Is gives the same results there
// as here. Any other error arrives as text only.
var faults = []struct {
	kind string
	is   []error // the first is matched here; all of them match there
}{
	{"refused", []error{syscall.ECONNREFUSED}},
	{"reset", []error{syscall.ECONNRESET}},
	{"aborted", []error{syscall.ECONNABORTED}},
	{"timeout", []error{syscall.ETIMEDOUT}},
	{"deadline", []error{os.ErrDeadlineExceeded, context.DeadlineExceeded}},
	{"host unreachable", []error{syscall.EHOSTUNREACH}},
	{"network unreachable", []error{syscall.ENETUNREACH}},
	{"too long", []error{syscall.EMSGSIZE}},
	{"no buffer space", []error{syscall.ENOBUFS}},
	{"broken pipe", []error{syscall.EPIPE}},
}

// Kinds of Fault besides those in faults.
const (
	faultOther = "other" // only the text is known
	faultEnded = "ended" // the session has ended; the text says why
)

// A Fault is an error of a peer's connection as sent over the control socket:
// {"kind": "refused", "text": "connection refused"}.
type Fault struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// faultOf converts an error to a Fault.
func faultOf(err error) *Fault {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // the other end adds the operation and the address
	}
	for _, f := range faults {
		if errors.Is(err, f.is[0]) {
			return &Fault{f.kind, err.Error()}
		}
	}
	return &Fault{faultOther, err.Error()}
}

// err converts a fault back to an error, for a session of that name.
func (f *Fault) err(session string) error {
	if f.Kind == faultEnded {
		return &Ended{Session: session, Why: f.Text}
	}
	for _, known := range faults {
		if f.Kind == known.kind {
			return &peerError{f.Text, known.is}
		}
	}
	return &peerError{text: f.Text}
}

// A peerError is an error that happened on the peer.
type peerError struct {
	text string
	is   []error
}

func (e *peerError) Error() string   { return e.text }
func (e *peerError) Unwrap() []error { return e.is }

// Timeout implements net.Error.
func (e *peerError) Timeout() bool {
	return slices.ContainsFunc(e.is, func(err error) bool {
		t, ok := err.(interface{ Timeout() bool })
		return ok && t.Timeout()
	})
}
