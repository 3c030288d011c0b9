package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/agent"
	"github.com/tun-mcp/tun-mcp/tun"
)

// agentQueue is how many packets wait for the built-in agent if nothing else
// is said: what a TCP connection has in flight. It is never far behind.
const agentQueue = session.MaxQueue

// agentCommand is `tun-mcp agent`.
func agentCommand() *cobra.Command {
	var s serveOptions
	var pings int
	var quiet bool
	var mistake string
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Run the built-in agent, a TCP/IP stack in place of a model, on a session of its own",
		Long: `Start a session and the built-in agent on it: an MCP client that reads packets
with read_packet, lets a TCP/IP stack think, and writes what that says with
write_packet. It answers ping, echoes on port 7 (UDP and TCP), serves HTTP on
port 80 and DNS for agent.test on port 53, and refuses other ports.

No model answers faster, and no answer is wrong unless --mistake asks for it: it
shows that a link works, and what an agent could do on it. Ctrl-C ends both.`,
		Example: "  tun-mcp agent --ping 5\n  tun-mcp agent --network memory -q --ping 1000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, _, err := s.parse(); err != nil { // before a child says the same
				return usage(err)
			}
			if pings < 0 {
				return usage(fmt.Errorf("--ping %d: accepted is a number of pings, from 1", pings))
			}
			if mistake != "" {
				if err := agent.CheckMistake(mistake); err != nil {
					return usage(fmt.Errorf("--mistake: %w", err))
				}
			}
			return runAgent(cmd, agent.Config{Server: serverArguments(cmd), Mistake: mistake}, pings, quiet)
		},
	}
	cmd.Flags().IntVar(&pings, "ping", 0, "ping the agent so many times from the peer, then end with ping's exit status")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print the start and the end, not every packet")
	cmd.Flags().StringVar(&mistake, "mistake", "", "make one kind of mistake on purpose, to try a trial's score: "+agent.Mistakes())
	s.flags(cmd)
	queue := cmd.Flags().Lookup("queue")
	queue.DefValue = strconv.Itoa(agentQueue)
	_ = queue.Value.Set(queue.DefValue) // a number that queue accepts
	return cmd
}

// serverArguments are those of the agent's own server: the flags that serve
// has as well.
func serverArguments(cmd *cobra.Command) []string {
	args := []string{"serve", "--queue=" + cmd.Flags().Lookup("queue").Value.String()}
	for _, name := range []string{"network", "name", "addr", "addr6", "mtu", "assist", "no-ascii", "session", "record", "impair", "max-pps"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed {
			args = append(args, "--"+name+"="+flag.Value.String())
		}
	}
	level := cmd.Flags().Lookup("log-level")
	if !level.Changed {
		args = append(args, "--log-level=warn") // the agent itself says what is up
	} else {
		args = append(args, "--log-level="+level.Value.String())
	}
	allow, _ := cmd.Flags().GetStringSlice("allow-dest") // serve's own flag
	for _, prefix := range allow {
		args = append(args, "--allow-dest="+prefix)
	}
	return args
}

// runAgent starts server and agent, runs the pings, if any, and closes both.
func runAgent(cmd *cobra.Command, config agent.Config, pings int, quiet bool) error {
	ctx, cancel := whileParentLives(cmd.Context()) // a trial that was killed leaves no agent
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
	if player.Link.Network == tun.NetworkMemory { // not what auto would rather take
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
	if !errors.Is(err, closing) { // which Run knows where the server ended by itself
		err = errors.Join(err, closing)
	}
	if err != nil {
		return err
	}
	if unanswered != nil {
		return unanswered // has ping's exit status, see exitStatus
	}
	if unsaid != nil { // nor was what came before
		return fmt.Errorf("printing what the agent did: %w", unsaid)
	}
	return nil
}

// ended is the last line: what the agent has done.
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
