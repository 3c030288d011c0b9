package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/ping"
	"github.com/tun-mcp/tun-mcp/tun"
)

// Exit statuses of ping, the same as those of iputils.
const (
	pingUnanswered = 1
	pingFailed     = 2
)

// pingCommand is `tun-mcp ping`.
func pingCommand() *cobra.Command {
	var o pingOptions
	cmd := &cobra.Command{
		Use:   "ping [flags] [ADDRESS]",
		Short: "Ping the agent of a running session, on any network and system",
		Long: `Ping the agent of a running session from the peer, the far end of its link. The
private and host networks use the kernel's sockets, memory uses netstack's.
ADDRESS is one of the agent's addresses (default: its IPv4 address).

The output has the format of ping (iputils). The exit status is 0 if there was a reply,
1 if there was none, 2 for any other error. Ctrl-C prints the statistics.`,
		Example: "  tun-mcp ping\n  tun-mcp ping -c 5 -W 60\n  tun-mcp ping -f -q -c 1000",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return pingError(fmt.Errorf("ping: got %d addresses; accepted is one, or none for the agent's IPv4 address", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			defer whilePrinting(cmd.Context())()
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

// pingError gives err the exit status 2, unless it already has one: a missing reply
// has 1.
func pingError(err error) error {
	if _, ok := errors.AsType[*exitError](err); ok || err == nil {
		return err
	}
	return &exitError{Status: pingFailed, Err: err}
}

// pingSession pings the agent of the session that o names.
func pingSession(cmd *cobra.Command, o pingOptions, config ping.Config) error {
	ctx := cmd.Context()
	client, status, err := openLink(cmd, o.session)
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
		// Without nsenter the server pings through its own socket, which sees fewer
		// faults of a reply.
	}
	conn, err := client.OpenPing(ctx, config.To.Is6())
	if err != nil {
		return err
	}
	return runPing(ctx, cmd, ping.Remote{Conn: conn}, config)
}

// pingFromHere pings from this process's network.
func pingFromHere(cmd *cobra.Command, client *control.Client, config ping.Config) error {
	socket, err := ping.OpenKernel(config.To)
	if err != nil {
		return err
	}
	// Without this, the kernel would keep sending after the session has ended.
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
