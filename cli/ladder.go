package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/packet"
)

// ladderCommand is `tun-mcp ladder`.
func ladderCommand() *cobra.Command {
	var form string
	var first, most int
	cmd := &cobra.Command{
		Use:   "ladder [flags] FILE",
		Short: "Draw the packets of a capture as a ladder, as SVG or Mermaid",
		Long: `Draw the IP packets of a capture (pcap or pcapng) on stdout: the peer on the left,
the agent on the right, time downwards, and an arrow from each answer to its
request. A session's recording also gives response times and the handler's
packets. In any other capture the host that sent first is on the left.`,
		Example: "  tun-mcp ladder session.pcapng > ladder.svg\n  tun-mcp ladder --form mermaid -n 10 session.pcapng",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("ladder takes one capture file, got %d; for instance: tun-mcp ladder session.pcapng", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case form != "svg" && form != "mermaid":
				return usage(fmt.Errorf("ladder: --form %q: accepted are svg and mermaid", form))
			case most < 1 || most > 10_000:
				return usage(fmt.Errorf("ladder: -n %d: accepted are 1 to 10000 packets", most))
			case first < 1:
				return usage(fmt.Errorf("ladder: --since %d: accepted is a frame number, 1 or more", first))
			}
			return drawLadder(cmd, args[0], form, first, most)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&form, "form", "svg", "svg (a picture) or mermaid (a sequence diagram as text)")
	f.IntVarP(&most, "count", "n", 100, "draw at most this many packets")
	f.IntVar(&first, "since", 1, "start with the frame of this number")
	return cmd
}

func drawLadder(cmd *cobra.Command, path, form string, first, most int) error {
	file, err := openCapture(cmd.Context(), path)
	if err != nil {
		return fmt.Errorf("ladder: %w", err)
	}
	defer file.Close()
	capture, err := packet.NewCaptureReader(file)
	if err != nil {
		return fmt.Errorf("ladder %s: %w", path, err)
	}
	drawing, failed := ladder.Read(capture, first, most)
	if len(drawing.Rungs) == 0 && failed == nil {
		if first > 1 {
			return fmt.Errorf("ladder %s: it has no IP packet from frame %d on; leave out --since to start with the first", path, first)
		}
		return errors.New("ladder " + path + ": it has no IP packet to draw")
	}
	if len(drawing.Rungs) > 0 {
		write := drawing.WriteSVG
		if form == "mermaid" {
			write = drawing.WriteMermaid
		}
		if err := write(cmd.OutOrStdout()); err != nil {
			return fmt.Errorf("ladder: %w", err)
		}
	}
	if failed != nil { // the packets before the damage are drawn
		return fmt.Errorf("ladder %s: %w", path, failed)
	}
	return nil
}
