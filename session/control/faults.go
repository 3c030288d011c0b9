package control

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
)

// faults are the errors of a connection on the peer that keep their meaning on
// the way to the command that dialled: errors.Is finds there what it would
// find here. What is not listed arrives as mere text.
var faults = []struct {
	kind string
	is   []error // the first tells it here; all of them are true there
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

// Kinds of Fault beside those in faults.
const (
	faultOther = "other" // known by its text alone
	faultEnded = "ended" // the session has ended; the text says why
)

// A Fault is an error of a connection on the peer, as it crosses the control
// socket: {"kind": "refused", "text": "connection refused"}.
type Fault struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// faultOf makes of an error what crosses the socket.
func faultOf(err error) *Fault {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // the other end says for itself what was attempted, and where
	}
	for _, f := range faults {
		if errors.Is(err, f.is[0]) {
			return &Fault{f.kind, err.Error()}
		}
	}
	return &Fault{faultOther, err.Error()}
}

// err makes of a fault the error that it was, in a session of that name.
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

// Timeout makes it a timeout to net.Error where the original was one.
func (e *peerError) Timeout() bool {
	return slices.ContainsFunc(e.is, func(err error) bool {
		t, ok := err.(interface{ Timeout() bool })
		return ok && t.Timeout()
	})
}
