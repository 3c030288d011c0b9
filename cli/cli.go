// Package cli is the command line of tun-mcp. Each command has one file, with its
// flags, its help and its function. Commands share these files: exit.go (exit
// statuses), usage.go (errors about arguments), find.go (the session that a
// command talks to), parent.go, completion.go and version.go.
package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun"
)

// Main runs the command line. If a command fails, Main exits with its status and
// does not return.
func Main() {
	tun.RunHolder(control.RemoveDead) // in a holder process this does not return

	// Stdout belongs to JSON-RPC. Anything printed by mistake, for instance by a
	// dependency, goes to stderr.
	stdout := os.Stdout
	os.Stdout = os.Stderr

	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	if err := newCommand(stdout).ExecuteContext(ctx); err != nil {
		os.Exit(exitStatus(err))
	}
}

// packaging holds the commands that only release builds have: see man.go.
var packaging []*cobra.Command

// newCommand builds the command tree. Commands print to stdout.
func newCommand(stdout *os.File) *cobra.Command {
	var s serveOptions
	root := &cobra.Command{
		Use:   "tun-mcp",
		Short: "An MCP server that makes an AI agent a host on a real network link",
		Long: `tun-mcp is an MCP server on stdio. It opens a point-to-point IP link. The agent is
one end of it (10.77.0.2) and reads and writes raw packets; the other end
(10.77.0.1) is a real TCP/IP stack.

An MCP client starts it: "claude mcp add tun -- tun-mcp" adds it to Claude Code,
"tun-mcp install" to other clients. Say "answer pings" there; then, in another
terminal:

  tun-mcp exec -- ping 10.77.0.2`,
		Args:          noCommand,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), s, os.Stdin, stdout) },
	}
	root.SetOut(stdout)
	root.SetVersionTemplate("tun-mcp " + build() + "\n")
	root.SetFlagErrorFunc(flagError)

	serve := &cobra.Command{
		Use:   "serve",
		Short: "Serve MCP on stdio (the default), or over HTTP",
		Args:  cobra.NoArgs,
		RunE:  root.RunE,
	}
	s.flags(root)
	s.flags(serve)
	s.http.flags(root)
	s.http.flags(serve)
	s.watch.flags(root, "watch", "also serve the live page of tun-mcp watch, at this address; stderr says the full URL")
	s.watch.flags(serve, "watch", "also serve the live page of tun-mcp watch, at this address; stderr says the full URL")

	root.AddCommand(serve, trialCommand(), agentCommand(), execCommand(), pingCommand(), replayCommand(), handlerCommand(), doctorCommand(), watchCommand(), ladderCommand(), installCommand())
	root.AddCommand(packaging...)
	completeCommands(root)
	initHelp(root, stdout)
	markUsage(root)
	return root
}
