package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// The help of every command fits a terminal of 80 columns. Only examples may be longer.
func TestHelpFits80Columns(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // not a terminal
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		var help bytes.Buffer
		cmd.SetOut(&help)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(help.String()) {
			if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > 80 && !strings.Contains(cmd.Example, line) {
				t.Errorf("%s: %s", cmd.CommandPath(), line)
			}
		}
		for _, child := range cmd.Commands() {
			if child.Name() != "completion" { // cobra's own
				visit(child)
			}
		}
	}
	visit(newCommand(null))
}
