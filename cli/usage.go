package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tun-mcp/tun-mcp/trial/report"
)

// wrongUsage is the exit status for a command line that is wrong on any machine: an
// unknown command, a flag without its value, a bad value.
const wrongUsage = 2

// usage gives err the exit status of wrong usage, unless it already has one. nil
// stays nil.
func usage(err error) error {
	if _, ok := errors.AsType[*exitError](err); ok || err == nil {
		return err
	}
	return &exitError{Status: wrongUsage, Err: err}
}

// markUsage makes every error about arguments, in a whole command tree, wrong usage.
func markUsage(cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		markUsage(child)
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return usage(check(cmd, args)) }
	}
}

// initHelp wraps the texts of the help, and makes cobra's own commands, help
// and completion, refuse an unknown command. By default they print their own help
// and exit with status 0.
func initHelp(root *cobra.Command, stdout *os.File) {
	cobra.AddTemplateFunc("flagsOf", func(cmd *cobra.Command) string {
		if !cmd.HasParent() {
			return "      The flags of serve, the default command: " + cmd.Name() + " serve --help"
		}
		return cmd.LocalFlags().FlagUsagesWrapped(helpWidth(stdout))
	})
	cobra.AddTemplateFunc("wrapped", func(text string) string { return wrapParagraphs(text, helpWidth(stdout)) })
	root.SetHelpTemplate(strings.Replace(root.HelpTemplate(), "{{. |", "{{wrapped . |", 1))
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".LocalFlags.FlagUsages", "flagsOf ."))
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

// wrapParagraphs breaks text into lines of at most width columns. A paragraph that is
// indented, an example, stays as it is.
func wrapParagraphs(text string, width int) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, paragraph := range paragraphs {
		if !strings.HasPrefix(paragraph, " ") {
			paragraphs[i] = report.Wrap(paragraph, width, 0)
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// helpWidth returns the width of the help, in columns: that of the terminal, from 60
// to 120, or 80 if stdout is not a terminal.
func helpWidth(stdout *os.File) int {
	width, _, err := term.GetSize(int(stdout.Fd()))
	if err != nil {
		return 80
	}
	return min(max(width, 60), 120)
}

// noCommand accepts no arguments. The first one is reported as an unknown command.
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
		return fmt.Errorf("%s has no commands, got %q", cmd.CommandPath(), args[0])
	}
	return fmt.Errorf("unknown command %q; accepted: %s; `%s --help` explains them", args[0], strings.Join(names, ", "), cmd.CommandPath())
}

// badValue matches pflag's error about a value that it cannot parse.
var badValue = regexp.MustCompile(`^invalid argument (".*") for ".*--([a-z0-9-]+)" flag: `)

// accepted says what a flag accepts, by pflag's name for its type.
var accepted = map[string]string{
	"int":      "accepted is a whole number",
	"uint64":   "accepted is a whole number, 0 or more",
	"bool":     "accepted are true and false",
	"duration": "accepted is a time with a unit, for instance 500ms or 2s",
}

// flagError rewords pflag's error about a flag, so that it says what is accepted.
func flagError(cmd *cobra.Command, err error) error {
	if match := badValue.FindStringSubmatch(err.Error()); match != nil {
		if flag := cmd.Flag(match[2]); flag != nil && accepted[flag.Value.Type()] != "" {
			err = fmt.Errorf("--%s %s: %s", flag.Name, match[1], accepted[flag.Value.Type()])
		}
	}
	path := cmd.CommandPath()
	if !cmd.HasParent() { // its flags are those of serve
		path += " serve"
	}
	return usage(fmt.Errorf("%w; `%s --help` lists the flags", err, path))
}
