package tun

import (
	"os"
	"syscall"
)

// A refusal says that this machine does not allow a step, and what to do about
// it. Holders send it to their server as JSON.
type refusal struct {
	What  string        // what was attempted
	Cause string        // why it failed
	Errno syscall.Errno // the kernel's word for Cause; zero: there is none
	Todo  string        // what to do next
}

func (r *refusal) Error() string {
	return r.What + ": " + r.Cause + "; " + r.Todo
}

func (r *refusal) Unwrap() error {
	if r.Errno == 0 {
		return nil
	}
	return r.Errno
}

// An ending is why a device came to its end by itself. It wraps os.ErrClosed.
type ending string

func (e ending) Error() string { return string(e) }

func (e ending) Unwrap() error { return os.ErrClosed }
