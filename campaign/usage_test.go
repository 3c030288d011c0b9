package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command refuses a surplus argument and an unknown flag in words, with the exit
// status of wrong usage.
func TestEveryCommandRefuses(t *testing.T) {
	refuses := func(want string, args ...string) {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			root := newCommand()
			root.SetOut(io.Discard)
			root.SetErr(io.Discard)
			root.SetArgs(args)
			err := root.Execute()
			if _, ok := errors.AsType[usageError](err); !ok || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want wrong usage and %q", err, want)
			}
		})
	}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		refuses("unknown flag: --surplus", append(path, "--surplus")...)
		refuses("", append(path, "surplus", "surplus")...)
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(newCommand())
	refuses(`"foo"`, "foo")
	refuses(`"foo"`, "work", "foo")
	refuses(`"foo"`, "help", "foo")
	refuses(`"foo"`, "completion", "foo")
}
