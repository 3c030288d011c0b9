package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// wrongUsage is the exit status for a command line that no machine and no
// session would take: an unknown command, a flag without its value, a bad value.
const wrongUsage = 2

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

// initHelp makes the two commands that cobra brings, help and completion, say
// what is no command instead of printing their own help with exit status 0.
func initHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				about, rest, err := cmd.Root().Find(args)
				if err != nil {
					return err
				}
				return noCommand(about, rest)
			}
		case "completion":
			cmd.Args = noCommand
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
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
	if len(names) == 0 {
		return fmt.Errorf("%s has no command %q, nor any other", cmd.CommandPath(), args[0])
	}
	return fmt.Errorf("there is no command %q; there are: %s; `%s --help` says what each does", args[0], strings.Join(names, ", "), cmd.CommandPath())
}

// badValue matches pflag's complaint about a value that it cannot read.
var badValue = regexp.MustCompile(`^invalid argument (".*") for ".*--([a-z0-9-]+)" flag: `)

// accepted says what a flag of a type takes, by pflag's name of the type.
var accepted = map[string]string{
	"int":      "accepted is a whole number",
	"uint64":   "accepted is a whole number from 0",
	"bool":     "accepted are true and false",
	"duration": "accepted is a time with its unit, for instance 500ms or 2s",
}

// flagError is a complaint about flags, which names what is accepted.
func flagError(cmd *cobra.Command, err error) error {
	if match := badValue.FindStringSubmatch(err.Error()); match != nil {
		if flag := cmd.Flag(match[2]); flag != nil && accepted[flag.Value.Type()] != "" {
			err = fmt.Errorf("--%s %s: %s", flag.Name, match[1], accepted[flag.Value.Type()])
		}
	}
	return usage(fmt.Errorf("%w; `%s --help` lists what is accepted", err, cmd.CommandPath()))
}
