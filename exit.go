package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
)

// wrongUsage is the exit status for a command line that no machine and no
// session would take: an unknown command, a flag without its value, a bad value.
const wrongUsage = 2

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

// usage gives an error that is the caller's own its exit status; nil stays nil.
func usage(err error) error {
	if _, ok := errors.AsType[*exitError](err); ok || err == nil {
		return err
	}
	return &exitError{Status: wrongUsage, Err: err}
}

// markUsage makes every complaint of a command tree about arguments one of
// usage.
func markUsage(cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		markUsage(child)
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return usage(check(cmd, args)) }
	}
}

// noCommand accepts no argument: the first one is no command.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			names = append(names, child.Name())
		}
	}
	return fmt.Errorf("there is no command %q; there are: %s; `%s --help` says what each does", args[0], strings.Join(names, ", "), cmd.CommandPath())
}

// exitStatus says on stderr why the program ends and returns its exit status: 1,
// an exitError's own (2 for wrong usage), or that of a program that was run and has said why.
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
