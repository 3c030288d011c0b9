package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// An exitError is an error with an exit status of its own. Where Err is nil
// everything has been said already.
type exitError struct {
	Status int
	Err    error
}

func (e *exitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Status)
	}
	return e.Err.Error()
}

func (e *exitError) Unwrap() error { return e.Err }

// exitStatus says on stderr why the program ends and returns its exit status: 1,
// an exitError's own, or that of a program that was run and has said why.
func exitStatus(err error) int {
	status := 1
	if own, ok := errors.AsType[*exitError](err); ok {
		if status = own.Status; own.Err == nil {
			return status
		}
	} else if child, ok := errors.AsType[*exec.ExitError](err); ok && child.Exited() {
		return child.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "tun-mcp:", err)
	return status
}
