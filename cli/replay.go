package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/replay"
	"github.com/tun-mcp/tun-mcp/session"
)

// replayCommand is `tun-mcp replay`.
func replayCommand() *cobra.Command {
	var name string
	var o replay.Options
	cmd := &cobra.Command{
		Use:   "replay [flags] FILE",
		Short: "Send the packets of a capture to the agent of a running session",
		Long: `Send the IP packets of a capture (pcap or pcapng) to the agent of a running
session, as if the peer sent them, with the capture's timing. Addresses are
replaced by the link's, and checksums are updated: a wrong one stays wrong.
Packets quoted in ICMP errors are not changed.

Of each conversation, only the packets of the side that sent first are sent: the
agent has to answer them. Of a recording made with --record, the peer's packets are
sent. The peer's own stack does not know these packets, so it may reject the
answers: it answers a TCP segment with a reset.`,
		Example: "  tun-mcp replay dns.pcap\n  tun-mcp replay --speed 10 --gap 1s -n 100 office.pcapng",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("replay takes one capture file, got %d; for instance: tun-mcp replay dns.pcap", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.Speed < 0 || o.Speed > 1e6:
				return usage(fmt.Errorf("--speed %v: accepted is a factor up to 1000000, for instance 10, or 0 to send without waiting", o.Speed))
			case o.Gap < 0:
				return usage(fmt.Errorf("--gap %v: accepted is a time, for instance 1s, or 0 for no bound", o.Gap))
			case o.Count < 0:
				return usage(fmt.Errorf("-n %d: accepted is a number of packets, or 0 for all", o.Count))
			}
			return runReplay(cmd, args[0], name, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&name, "session", "", sessionHelp)
	f.Float64Var(&o.Speed, "speed", 1, "how many times as fast as captured; 0 sends without waiting")
	f.DurationVar(&o.Gap, "gap", 0, "longest wait between two packets (default: as captured)")
	f.IntVarP(&o.Count, "count", "n", 0, "send at most this many packets; 0 means all")
	return cmd
}

func runReplay(cmd *cobra.Command, path, name string, o replay.Options) error {
	file, err := openCapture(cmd.Context(), path)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	defer file.Close()
	capture, err := packet.NewCaptureReader(file)
	if err != nil {
		return fmt.Errorf("replay %s: %w", path, err)
	}
	client, status, err := openLink(cmd, name)
	if err != nil {
		return err
	}
	link, err := replayLink(client, status)
	if err != nil {
		return err
	}
	began := time.Now()
	counts, failed := replay.Run(cmd.Context(), capture, link, o)
	fmt.Fprintf(cmd.OutOrStdout(), "%s\n", replayed(path, counts, time.Since(began)))
	if errors.Is(failed, context.Canceled) {
		return &exitError{Status: 1} // Ctrl-C; the line above says how far it got
	}
	if failed != nil {
		return fmt.Errorf("replay %s: %w", path, failed)
	}
	return nil
}

// replayLink returns the link of a running session for package replay.
func replayLink(client *control.Client, status session.Status) (replay.Link, error) {
	link := replay.Link{MTU: status.MTU, Send: client.Inject}
	for _, end := range []struct {
		text string
		addr *netip.Addr
	}{{status.Peer, &link.Peer}, {status.Agent, &link.Agent}, {status.Peer6, &link.Peer6}, {status.Agent6, &link.Agent6}} {
		text, _, _ := strings.Cut(end.text, "/")
		if text == "" {
			continue
		}
		var err error
		if *end.addr, err = netip.ParseAddr(text); err != nil {
			return link, fmt.Errorf("replay: the session's status has the address %q: %w", end.text, err)
		}
	}
	return link, nil
}

// replayed formats the counts of a replay.
func replayed(path string, c replay.Counts, took time.Duration) string {
	text := fmt.Sprintf("%d packets of %s sent in %.1f s", c.Sent, path, took.Seconds())
	if c.Sent > 0 {
		text += fmt.Sprintf(", #%d to #%d", c.First, c.Last)
	}
	text += fmt.Sprintf("; %d frames read", c.Frames)
	for _, left := range []struct {
		n   int
		why string
	}{
		{c.Answers, "left out as answers, which the agent has to give"},
		{c.Other, "without an IP packet"},
		{c.NoIPv6, "left out because IPv6 is off: start the server with --addr6"},
		{c.TooLong, "too long, the first: " + c.FirstBig},
	} {
		if left.n > 0 {
			text += fmt.Sprintf("; %d %s", left.n, left.why)
		}
	}
	return text
}
