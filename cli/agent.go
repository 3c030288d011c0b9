package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
)

// agentQueue is the default --queue of the built-in agent, in packets: a TCP
// connection may have that many in flight.
const agentQueue = session.MaxQueue

// agentCommand is `tun-mcp agent`.
func agentCommand() *cobra.Command {
	var s serveOptions
	var pings int
	var quiet bool
	var mistake string
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Run the built-in agent, a TCP/IP stack in place of a model",
		Long: `Start a session and the built-in agent on it: an MCP client that reads packets
with read_packet, passes them to a TCP/IP stack, and writes its answers with
write_packet. It answers ping, echoes on port 7 (UDP and TCP), serves HTTP on
port 80 and DNS for agent.test on port 53, and refuses other ports.

It answers faster than any model, and every answer is right unless --mistake asks
for a wrong one. Use it to see that a link works. Ctrl-C ends both.`,
		Example: "  tun-mcp agent --ping 5\n  tun-mcp agent --network memory -q --ping 1000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, err := s.parse(); err != nil { // before the child process fails with it
				return usage(err)
			}
			if pings < 0 {
				return usage(fmt.Errorf("--ping %d: accepted is a number of pings, 1 or more", pings))
			}
			if mistake != "" {
				if err := agent.CheckMistake(mistake); err != nil {
					return usage(fmt.Errorf("--mistake: %w", err))
				}
			}
			return runAgent(cmd, agent.Config{Server: serverArguments(cmd), Mistake: mistake}, pings, quiet)
		},
	}
	cmd.Flags().IntVar(&pings, "ping", 0, "ping the agent this many times from the peer, then exit with ping's status")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print only the start and the end, not every packet")
	cmd.Flags().StringVar(&mistake, "mistake", "", "make one kind of mistake on purpose, to test a trial's score: "+agent.Mistakes())
	s.flags(cmd)
	queue := cmd.Flags().Lookup("queue")
	queue.DefValue = strconv.Itoa(agentQueue)
	_ = queue.Value.Set(queue.DefValue) // queue accepts this number
	return cmd
}

// serverArguments returns the arguments for the agent's own server: every flag
// that serve has too.
func serverArguments(cmd *cobra.Command) []string {
	args := []string{"serve", "--queue=" + cmd.Flags().Lookup("queue").Value.String()}
	for _, name := range []string{"network", "name", "addr", "addr6", "mtu", "assist", "no-ascii", "session", "record", "impair", "max-pps",
		"handler", "handlers", "handler-source", "handler-steps", "handler-time", "handler-memory"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed {
			args = append(args, "--"+name+"="+flag.Value.String())
		}
	}
	level := cmd.Flags().Lookup("log-level")
	if !level.Changed {
		args = append(args, "--log-level=warn") // the agent prints its own start
	} else {
		args = append(args, "--log-level="+level.Value.String())
	}
	allow, _ := cmd.Flags().GetStringSlice("allow-dest") // serve's own flag
	for _, prefix := range allow {
		args = append(args, "--allow-dest="+prefix)
	}
	return args
}

// runAgent starts the server and the agent, runs the pings, if any, and closes both.
func runAgent(cmd *cobra.Command, config agent.Config, pings int, quiet bool) error {
	ctx, cancel := whileParentLives(cmd.Context()) // so that a killed trial leaves no agent behind
	defer cancel()
	out := cmd.OutOrStdout()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, to start its server: %w", err)
	}
	config.Server, config.Stderr = append([]string{self}, config.Server...), os.Stderr
	if !quiet {
		config.Packets = out
	}
	player, err := agent.Start(ctx, config)
	if err != nil {
		return err
	}
	addresses := player.Link.Agent
	if player.Link.Agent6 != "" {
		addresses += " and " + player.Link.Agent6
	}
	fmt.Fprintf(out, "agent at %s is up: session %s, %s network, peer %s\n", addresses, player.Link.Session, player.Link.Network, player.Link.Peer)
	if player.Link.Network == tun.NetworkMemory { // auto prefers private
		fmt.Fprintf(out, "why memory: %s\n", player.Link.Why)
	}
	if pings == 0 {
		fmt.Fprintf(out, "ping it with: %s (Ctrl-C ends this)\n", player.Link.PingWith)
	}

	pinged := make(chan error, 1)
	if pings > 0 {
		go func() {
			pinged <- player.Ping(ctx, self, pings, out, os.Stderr)
			cancel()
		}()
	}
	err = player.Run(ctx)
	cancel()
	var unanswered error
	if pings > 0 {
		unanswered = <-pinged
	}
	counts, closing := player.Close()
	_, unsaid := fmt.Fprintln(out, ended(counts))
	if !errors.Is(err, closing) { // Run already returns it if the server ended by itself
		err = errors.Join(err, closing)
	}
	if err != nil {
		return err
	}
	if unanswered != nil {
		return unanswered // its exit status is ping's, see exitStatus
	}
	if unsaid != nil { // then the lines before it were not printed either
		return fmt.Errorf("printing what the agent did: %w", unsaid)
	}
	return nil
}

// ended formats the last line: what the agent did.
func ended(c agent.Counts) string {
	line := fmt.Sprintf("agent ended: %d packets read, %d written in %d calls", c.Read, c.Written, c.Calls)
	if c.Refused > 0 {
		line += fmt.Sprintf(", %d refused", c.Refused)
	}
	if c.Dropped > 0 {
		line += fmt.Sprintf(", %d dropped by the full queue", c.Dropped)
	}
	if c.Median > 0 {
		line += fmt.Sprintf(", median response time %.3g ms", c.Median)
	}
	return line
}
