// Tun-mcp puts an AI agent on the wire: it is an MCP server that gives an agent
// one end of a network link, as raw IP packets.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tun"
)

func main() {
	tun.RunHolder(control.RemoveDead) // in a holder process this does not return

	// Stdout belongs to JSON-RPC. Whatever prints by mistake, a dependency
	// included, prints to stderr.
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

// packaging are commands that only a release is built with: see man.go.
var packaging []*cobra.Command

// newCommand builds the command line. What a command prints goes to stdout.
func newCommand(stdout *os.File) *cobra.Command {
	var s serveOptions
	root := &cobra.Command{
		Use:   "tun-mcp",
		Short: "An MCP server that makes an AI agent a host on a real network link",
		Long: `tun-mcp is an MCP server on stdio. It opens a point-to-point IP link, gives the
agent one end of it (10.77.0.2) as raw packets, and a real TCP/IP stack the
other (10.77.0.1).

An MCP client starts it: "claude mcp add tun -- tun-mcp" gives it to Claude
Code. Say "answer pings" there; then, in another terminal:

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

	root.AddCommand(serve, trialCommand(), agentCommand(), execCommand(), pingCommand(), doctorCommand())
	root.AddCommand(packaging...)
	completeCommands(root)
	initHelp(root)
	markUsage(root)
	return root
}
