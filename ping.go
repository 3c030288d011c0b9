package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/ping"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tun"
)

// Exit statuses of ping, as iputils has them.
const (
	pingUnanswered = 1
	pingFailed     = 2
)

// pingCommand is `tun-mcp ping`.
func pingCommand() *cobra.Command {
	var o pingOptions
	cmd := &cobra.Command{
		Use:   "ping [flags] [ADDRESS]",
		Short: "Ping the agent of a running session, on any network kind and system",
		Long: `Ping the agent of a running session from the peer, the far end of its link: with
the kernel's own sockets in the private and host networks, with netstack's in
memory. ADDRESS is one of the agent's; by default it is its IPv4 address.

The output is that of ping (iputils). The exit status is 0 if there was a reply,
1 if there was none, 2 for any other error. Ctrl-C prints the statistics.`,
		Example: "  tun-mcp ping\n  tun-mcp ping -c 5 -W 60\n  tun-mcp ping -f -q -c 1000",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return pingError(fmt.Errorf("ping: %d addresses given: accepted is one, or none for the agent's IPv4 address", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := o.parse(args)
			if err != nil {
				return pingError(err)
			}
			if o.socket != "" {
				return pingError(pingFromHere(cmd, control.At(o.socket), config))
			}
			return pingError(pingSession(cmd, o, config))
		},
	}
	o.flags(cmd)
	return cmd
}

// pingError gives what is not merely a missing reply ping's exit status for it.
func pingError(err error) error {
	if _, ok := errors.AsType[*exitError](err); ok || err == nil {
		return err
	}
	return &exitError{Status: pingFailed, Err: err}
}

// pingSession pings the agent of the session that o names.
func pingSession(cmd *cobra.Command, o pingOptions, config ping.Config) error {
	ctx := cmd.Context()
	client, err := findSession(cmd, o.session)
	if err != nil {
		return err
	}
	status, err := openLink(cmd, client)
	if err != nil {
		return err
	}
	if config.To, err = o.agent(status, config.To); err != nil {
		return err
	}
	switch status.Network {
	case tun.NetworkHost:
		return pingFromHere(cmd, client, config)
	case tun.NetworkPrivate:
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("ping: finding this program, to start it on the peer: %w", err)
		}
		argv, err := tun.ExecCommand(status.Network, status.Holder, o.again(self, client.Path, config.To))
		if err == nil {
			return run(argv)
		}
		if !errors.Is(err, exec.ErrNotFound) {
			return err
		}
		// Without nsenter the server's own socket has to do: it sees less of
		// what is wrong with a reply.
	}
	conn, err := client.OpenPing(ctx, config.To.Is6())
	if err != nil {
		return err
	}
	return runPing(ctx, cmd, ping.Remote{Conn: conn}, config)
}

// pingFromHere pings from the network that this process is in.
func pingFromHere(cmd *cobra.Command, client *control.Client, config ping.Config) error {
	socket, err := ping.OpenKernel(config.To)
	if err != nil {
		return err
	}
	// The kernel would go on sending into nothing when the session has ended.
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	go func() { cancel(client.WaitEnd(ctx)) }()
	return runPing(ctx, cmd, socket, config)
}

// runPing pings and prints until the run or ctx ends.
func runPing(ctx context.Context, cmd *cobra.Command, socket ping.Socket, config ping.Config) error {
	printer := &ping.Printer{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), Config: config}
	printer.Head()
	statistics, err := ping.Run(ctx, socket, config, printer)
	switch {
	case err != nil:
		return fmt.Errorf("ping: %w", err)
	case statistics.Received == 0:
		return &exitError{Status: pingUnanswered}
	}
	return nil
}
