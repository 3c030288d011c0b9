package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/watch"
)

// watchOptions holds the flags of watch.
type watchOptions struct {
	session           string
	hex, fields, json bool
	count, since      int
	pcapng            string
	web               webOptions
}

// watchCommand is `tun-mcp watch`.
func watchCommand() *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:   "watch [flags]",
		Short: "Watch the packets of a running session and the calls of its agent",
		Long: `Watch a running session, whichever client plays it: one line for each packet (→ to
the agent, ← to the peer), with the response time of an answer, and one line for
each call of the agent. The link never waits for a slow terminal; events that the
terminal missed are counted. The watch ends with the session, on Ctrl-C, or after
-n packets.

With --web it serves a page instead and prints its address. The page shows the
packets as a ladder that you can pause and inspect, plots response times, and has a
button that pings. It can show any session of this user.`,
		Example: `  tun-mcp watch
  tun-mcp watch --since 1 --fields -n 2
  tun-mcp watch --json | jq -c 'select(.event == "packet") | [.number,.summary]'
  tun-mcp watch --web
  tun-mcp watch --pcapng - | wireshark -k -i -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) == 1 && o.web.address == webDefault { // --web ADDRESS
				return nil
			}
			return fmt.Errorf("watch takes no arguments, got %q; to choose a session, use --session NAME", args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			defer whilePrinting(cmd.Context())()
			if len(args) == 1 {
				o.web.address = args[0]
			}
			if err := o.check(cmd); err != nil {
				return usage(err)
			}
			if o.web.address != "" {
				return o.serveWeb(cmd)
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.session, "session", "", sessionHelp)
	f.IntVarP(&o.count, "count", "n", 0, "stop after this many packets (default: when the session ends)")
	f.IntVar(&o.since, "since", 0, "start with the packet of this number; the session keeps the last 4,096 packets (default: with the next packet)")
	f.BoolVar(&o.hex, "hex", false, "show the bytes of each packet")
	f.BoolVar(&o.fields, "fields", false, "show the bytes of each packet and every header field")
	f.BoolVar(&o.json, "json", false, "print events as JSON, one object a line, like GET /events on the control socket")
	f.StringVar(&o.pcapng, "pcapng", "", "write the packets to this new capture file or named pipe; - means stdout, and then nothing else is printed there")
	o.web.flags(cmd, "web", "serve a live page at this address")
	return cmd
}

// check refuses flags that exclude each other.
func (o *watchOptions) check(cmd *cobra.Command) error {
	if err := o.web.check(); err != nil {
		return err
	}
	switch f := cmd.Flags(); {
	case o.web.address != "" && (o.hex || o.fields || o.json || o.pcapng != "" || f.Changed("count") || f.Changed("since")):
		return errors.New("watch: --web shows everything on its page; the only other flags accepted with it are --session and --web-token-file")
	case f.Changed("count") && o.count < 1:
		return fmt.Errorf("watch: -n %d: accepted is a number of packets, 1 or more", o.count)
	case f.Changed("since") && o.since < 1:
		return fmt.Errorf("watch: --since %d: accepted is a packet number, 1 or more", o.since)
	case o.json && (o.hex || o.fields):
		return errors.New("watch: --json already has the bytes of every packet: leave out --hex and --fields")
	case o.pcapng == "-" && (o.json || o.hex || o.fields):
		return errors.New("watch: --pcapng - writes a capture to stdout, where text would damage it: leave out --json, --hex and --fields, or write the capture to a file")
	}
	return nil
}

// run watches until the session or the command ends.
func (o *watchOptions) run(cmd *cobra.Command) error {
	client, err := findSession(cmd, o.session)
	if err != nil {
		return err
	}
	status, err := client.Status(cmd.Context())
	if err != nil {
		return err
	}
	var capture io.Writer
	switch o.pcapng {
	case "":
	case "-":
		if f, ok := cmd.OutOrStdout().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return usage(errors.New("watch: --pcapng -: stdout is a terminal; pipe it to a program that reads captures: tun-mcp watch --pcapng - | wireshark -k -i -"))
		}
		capture = cmd.OutOrStdout()
	default:
		file, err := createCapture(o.pcapng)
		if err != nil {
			return err
		}
		defer file.Close()
		capture = file
	}
	var show viewer
	switch {
	case o.pcapng == "-":
		show = &silent{remarks: cmd.ErrOrStderr(), since: o.since}
	case o.json:
		show = jsonLines{json.NewEncoder(cmd.OutOrStdout())}
	default:
		show = o.printer(cmd.OutOrStdout(), status)
	}
	if capture != nil {
		if _, err := capture.Write(packet.CaptureHeader("tun-mcp " + version())); err != nil {
			return fmt.Errorf("watch: writing the capture: %w", err)
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "watching session %s (%s): → from the peer %s, ← from the agent %s\n",
		client.Name, status.Network, watch.EndsOf(status).Peer, status.Agent)
	why, err := o.follow(cmd.Context(), client, show, capture, cmd.ErrOrStderr())
	if err == nil && why != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "session %s has ended: %s\n", client.Name, harmless(why))
	}
	return err
}

// printer returns a viewer that prints lines on out. If out is a terminal, lines fit
// its width.
func (o *watchOptions) printer(out io.Writer, status session.Status) viewer {
	p := &watch.Printer{Out: out, Hex: o.hex, Fields: o.fields, Since: o.since, Ends: watch.EndsOf(status)}
	p.Start(status)
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.Live = true
		p.Color = os.Getenv("NO_COLOR") == ""
		p.Width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0
			}
			return width
		}
	}
	return p
}

// redraw is the time between two redraws of a terminal's live line.
const redraw = 100 * time.Millisecond

// follow shows the session's events until the session ends, and returns the reason
// for that. The reason is "" if the watch ended first.
func (o *watchOptions) follow(ctx context.Context, client *control.Client, show viewer, capture, remarks io.Writer) (why string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The channel is unbuffered: while the terminal is slow nothing is read from the
	// session, and the session counts the events that this watch misses.
	events := make(chan session.Event)
	over := make(chan error, 1)
	go func() {
		over <- client.EventsSince(ctx, o.since, nil, func(e session.Event) bool {
			select {
			case events <- e:
				return e.Event != session.EventEnd
			case <-ctx.Done():
				return false
			}
		})
	}()
	silences := make(chan bool)
	go pulse(ctx, client, silences)
	silent := false
	defer func() {
		if closing := show.Close(); err == nil {
			err = closing
		}
	}()
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for packets := 0; ; {
		select {
		case e := <-events:
			if err := show.See(e); err != nil {
				return "", fmt.Errorf("watch: %w", err)
			}
			if e.Event == session.EventEnd {
				return e.Why, nil
			}
			if e.Event != session.EventPacket {
				continue
			}
			if captured, ok := e.Captured(); ok && capture != nil {
				if _, err := capture.Write(captured.AppendTo(nil)); err != nil {
					return "", fmt.Errorf("watch: writing the capture: %w", err)
				}
			}
			if packets++; packets == o.count {
				return "", nil
			}
		case silent = <-silences:
			if err := show.Close(); err != nil {
				return "", fmt.Errorf("watch: %w", err)
			}
			text := "its server answers again"
			if silent {
				text = control.ErrSilent.Error()
			}
			fmt.Fprintf(remarks, "session %s: %s\n", client.Name, text)
		case now := <-tick.C:
			if silent { // it is not known what the agent does
				continue
			}
			if err := show.Status(now); err != nil {
				return "", fmt.Errorf("watch: %w", err)
			}
		case err := <-over:
			switch {
			case ctx.Err() != nil:
				return "", nil
			case err == nil || errors.Is(err, io.ErrUnexpectedEOF):
				return "its server is gone", nil
			}
			return "", err
		}
	}
}

// createCapture creates a capture file that only its owner may read, or opens a
// named pipe.
func createCapture(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		if info, err := pipe.Stat(); err == nil && info.Mode()&fs.ModeNamedPipe != 0 { // it is still the pipe
			return pipe, nil
		}
		pipe.Close()
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("watch: --pcapng %s: the file exists, and a capture never overwrites a file; name another", path)
	}
	if err != nil {
		return nil, fmt.Errorf("watch: --pcapng: %w; name a file in a folder that you may write to", err)
	}
	return file, nil
}
