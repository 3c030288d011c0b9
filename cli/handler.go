package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tools"
)

// handlerCommand is `tun-mcp handler`.
func handlerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "handler",
		Short: "Try packet handlers, programs that answer in the agent's place",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(handlerTryCommand())
	return cmd
}

// tryOptions are the flags of handler try.
type tryOptions struct {
	assist string
	mtu    int
	count  int
	quiet  bool
}

func handlerTryCommand() *cobra.Command {
	var o tryOptions
	cmd := &cobra.Command{
		Use:   "try [flags] FILE.star CAPTURE",
		Short: "Run a handler on a capture, and show what it would send",
		Long: `Run a packet handler (docs/write-handler.md) on the packets of a capture (pcap,
pcapng or a recording made with --record), without a session. Of a recording, only
the peer's packets are handled. tick runs by the capture's own timestamps.

The exit status is 1 if the handler fails for a packet or would send a packet
that the server refuses.`,
		Example: "  tun-mcp handler try ping.star pings.pcap\n  tun-mcp handler try -q tcp.star record.pcapng",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("handler try takes a program and a capture, got %d arguments; for instance: tun-mcp handler try ping.star pings.pcap", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			assist, err := tools.ParseAssist(o.assist)
			switch {
			case err != nil:
				return usage(fmt.Errorf("--%w", err))
			case o.mtu < 68 || o.mtu > packet.MaxLen:
				return usage(fmt.Errorf("--mtu %d: accepted is 68 to %d", o.mtu, packet.MaxLen))
			case o.count < 0:
				return usage(fmt.Errorf("-n %d: accepted is a number of packets, or 0 for all", o.count))
			}
			program, err := readHandler(args[0], assist, handler.Limits{})
			if err != nil {
				return fmt.Errorf("handler try: %w", err)
			}
			file, err := openCapture(cmd.Context(), args[1])
			if err != nil {
				return fmt.Errorf("handler try: %w", err)
			}
			defer file.Close()
			capture, err := packet.NewCaptureReader(file)
			if err != nil {
				return fmt.Errorf("handler try %s: %w", args[1], err)
			}
			t := trying{tryOptions: o, out: cmd.OutOrStdout(), program: program, check: assist != tools.AssistNone}
			if err := t.run(capture); err != nil {
				return fmt.Errorf("handler try %s: %w", args[1], err)
			}
			if t.failed+t.refused > 0 {
				return &exitError{Status: 1} // the lines above say why
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.assist, "assist", string(tools.AssistFix), "as in serve: with none nothing is checked; with fix the program may call checksum and fix")
	f.IntVar(&o.mtu, "mtu", 1500, "longest packet that may be sent, in bytes")
	f.IntVarP(&o.count, "count", "n", 0, "handle at most this many packets; 0 means all")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print only faults and the totals")
	return cmd
}

// trying is a run of a handler over a capture.
type trying struct {
	tryOptions
	out     io.Writer
	program *handler.Handler
	check   bool

	seen, answered, dropped, passed, failed int // packets
	sent, refused                           int // packets that would be sent, and those that the server would refuse
	took                                    time.Duration
	began, ticked                           time.Time // in the capture's time
}

// maxTicks bounds the ticks between two packets of a capture.
const maxTicks = 3000 // five minutes

func (t *trying) run(capture *packet.CaptureReader) error {
	for t.count == 0 || t.seen < t.count {
		p, err := capture.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		t.ticks(p.Time)
		if p.FromPeer && len(p.Data) > 0 {
			t.handle(capture.Frame(), p.Data)
		}
	}
	for _, line := range t.program.Log() {
		fmt.Fprintf(t.out, "log: %s\n", line)
	}
	line := fmt.Sprintf("%d packets: %d answered, %d dropped, %d passed on, %d failed; %d packets would be sent", t.seen, t.answered, t.dropped, t.passed, t.failed, t.sent)
	if t.refused > 0 {
		line += fmt.Sprintf(", %d refused", t.refused)
	}
	if t.seen > 0 {
		line += fmt.Sprintf("; %.1f µs a packet", float64(t.took.Nanoseconds())/float64(t.seen)/1000)
	}
	_, err := fmt.Fprintln(t.out, line)
	return err
}

// ticks runs tick once for each TickEvery that has passed in the capture.
func (t *trying) ticks(now time.Time) {
	if t.began.IsZero() {
		t.began, t.ticked = now, now
	}
	for n := 0; t.program.HasTick() && n < maxTicks && now.Sub(t.ticked) >= handler.TickEvery; n++ {
		t.ticked = t.ticked.Add(handler.TickEvery)
		packets, err := t.program.Tick(t.ticked.Sub(t.began))
		at := fmt.Sprintf("tick at %.1f s", t.ticked.Sub(t.began).Seconds())
		if err != nil {
			t.failed++
			fmt.Fprintf(t.out, "%s fails: %v\n", at, err)
		}
		t.show(at, packets)
	}
	if now.Sub(t.ticked) >= handler.TickEvery {
		t.ticked = now
	}
}

func (t *trying) handle(frame int, data []byte) {
	began := time.Now()
	packets, taken, err := t.program.Handle(data)
	t.took += time.Since(began)
	t.seen++
	head := fmt.Sprintf("#%d %d bytes: %s", frame, len(data), packet.Summary(data))
	switch {
	case err != nil:
		t.failed++
		fmt.Fprintf(t.out, "%s\n  fails: %s\n", head, strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return
	case !taken:
		t.passed++
		t.say(head + "\n  passed on to the agent\n")
	case len(packets) == 0:
		t.dropped++
		t.say(head + "\n  dropped\n")
	case t.show(head, packets):
		t.answered++
	default:
		t.failed++
		fmt.Fprint(t.out, "  so none is sent, and the agent gets the packet\n")
	}
}

func (t *trying) say(text string) {
	if !t.quiet {
		fmt.Fprint(t.out, text)
	}
}

// show prints the packets that the handler returned. It returns false if the server would
// refuse one: then a session sends none of them.
func (t *trying) show(head string, packets [][]byte) bool {
	before := t.refused
	for i, data := range packets {
		refused := packet.Carriable(data, t.mtu)
		if faults := packet.Check(data); refused == nil && t.check && len(faults) > 0 {
			refused = errors.New(faults[0].String())
		}
		if i == 0 || refused != nil && t.quiet {
			if refused != nil || !t.quiet {
				fmt.Fprintln(t.out, head)
			}
		}
		line := fmt.Sprintf("  sends %d bytes: %s\n", len(data), packet.Summary(data))
		if refused != nil {
			t.refused++
			fmt.Fprintf(t.out, "%s  refused: %v\n", line, refused)
			continue
		}
		t.say(line)
	}
	if t.refused > before {
		return false
	}
	t.sent += len(packets)
	return true
}
