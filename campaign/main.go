// Campaign runs many trials of tun-mcp: agents × scenarios × assist levels ×
// repetitions, on one machine or on several, and reports the results.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

func main() {
	if err := newCommand().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		status := 1
		if _, ok := errors.AsType[usageError](err); ok {
			status = 2
		}
		os.Exit(status)
	}
}

// newCommand builds the command tree. The help is 80 columns wide.
func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "campaign",
		Short: "Run many trials of tun-mcp, on one machine or on several",
		Long: `Run many trials of tun-mcp: every agent in a plan plays every scenario at every
assist level, as many times as the plan says. A campaign survives crashes, stops
at its limits and can use several machines. docs/scale.md explains it.`,
		SilenceUsage: true, SilenceErrors: true,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(planCommand(), startCommand(), workCommand(), statusCommand(), reportCommand(), exportCommand(), cancelCommand())
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", ".FlagUsagesWrapped 80 "))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	checkOwn(root)
	return root
}

// checkOwn makes cobra's own commands, help and completion, refuse surplus arguments.
func checkOwn(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil {
					return usageError{err}
				}
				return none(about, rest)
			}
		case "completion":
			cmd.Args, cmd.RunE = none, root.RunE
			for _, shell := range cmd.Commands() {
				shell.Args = none
			}
		}
	}
}

// usageError is an error in the command line or in the plan. The exit status is 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// one accepts a single argument, the plan's file or the campaign's folder.
func one(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("%s takes one argument, got %d; usage: campaign %s", cmd.Name(), len(args), cmd.Use)}
	}
	return nil
}

// none accepts no arguments.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command or argument %q; `%s --help` shows what is accepted", args[0], cmd.CommandPath())}
	}
	return nil
}

// folderAt returns the campaign's folder. path is that folder, or the plan's file.
func folderAt(path string) (record.Folder, error) {
	folder := record.Folder(path)
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		folder = record.FolderOf(path)
	}
	if !folder.Started() {
		return "", fmt.Errorf("there is no campaign in %s; start one with `campaign start PLAN`, or give the folder of another", folder)
	}
	return folder, nil
}
