//go:build man

package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func init() { packaging = append(packaging, manCommand()) }

// manCommand is `go run -tags man . man`, for those who package the program. The
// program itself does not have it, nor the Markdown library that it needs.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the manual pages and the shells' completion scripts to a folder",
		Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("man takes the folder to write to, got %d arguments; for instance: tun-mcp man build", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writeManual(cmd.Root(), args[0]); err != nil {
				return fmt.Errorf("writing the manual to %s: %w", args[0], err)
			}
			return nil
		},
	}
}

// writeManual writes a page for each command to folder/man, and a script for each
// shell to folder/completions. The pages' date is SOURCE_DATE_EPOCH, or today.
func writeManual(root *cobra.Command, folder string) error {
	man, completions := filepath.Join(folder, "man"), filepath.Join(folder, "completions")
	for _, dir := range []string{man, completions} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	header := &doc.GenManHeader{Section: "1", Source: "tun-mcp " + version(), Manual: "tun-mcp"}
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, header, man); err != nil {
		return err
	}
	for name, write := range map[string]func(string) error{
		"tun-mcp.bash": func(path string) error { return root.GenBashCompletionFileV2(path, true) },
		"_tun-mcp":     root.GenZshCompletionFile,
		"tun-mcp.fish": func(path string) error { return root.GenFishCompletionFile(path, true) },
		"tun-mcp.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := write(filepath.Join(completions, name)); err != nil {
			return err
		}
	}
	return nil
}
