package tun

import (
	"errors"
	"os"
	"syscall"
)

// A refusal is the error of a step that this machine does not allow, with the next
// step. Holders send it to their server as JSON.
type refusal struct {
	What  string        // what was attempted
	Cause string        // why it failed
	Errno syscall.Errno // the kernel's error for Cause; zero means none
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

// lastResort returns general advice for err. Without free descriptors, the memory
// network would not work either.
func lastResort(err error) string {
	if errors.Is(err, syscall.EMFILE) {
		return "allow this process more descriptors: ulimit -n 1024"
	}
	return "use --network memory"
}

// An ending is the reason why a device ended by itself. It wraps os.ErrClosed.
type ending string

func (e ending) Error() string { return string(e) }

func (e ending) Unwrap() error { return os.ErrClosed }
