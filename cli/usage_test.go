package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command refuses a surplus argument and an unknown flag in words, with the exit
// status of wrong usage.
func TestEveryCommandRefuses(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	refuses := func(t *testing.T, want string, args ...string) {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			root := newCommand(null)
			root.SetErr(null)
			root.SetArgs(args)
			err := root.Execute()
			if own, ok := err.(*exitError); !ok || own.Status != wrongUsage || own.Err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want status %d and %q", err, wrongUsage, want)
			}
		})
	}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		refuses(t, "unknown flag: --surplus", append(path, "--surplus")...)
		if name := cmd.Name(); name != "exec" && name != "compare" { // they take any number of arguments
			refuses(t, "", append(path, "surplus", "surplus", "surplus")...)
		}
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(newCommand(null))
	refuses(t, `"surplus"`, "watch", "surplus")
}
