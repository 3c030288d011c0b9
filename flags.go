package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun"
)

// serveOptions are the flags of serve, as text: Config says what they mean.
type serveOptions struct {
	link                   tun.Config
	addr, addr6            string
	queue, maxPPS          int
	assist, session, level string
	record, impair         string
	impairment             tun.Impairment // what impair says
	allowDest              []string
	noASCII                bool
	http                   httpOptions
}

func (s *serveOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&s.link.Network, "network", tun.NetworkAuto, "where the peer lives: private (the kernel, in a namespace; no root), host (this machine's own network), memory (inside this process), auto (private if it can be had, else memory)")
	f.StringVar(&s.link.Name, "name", "", "name of the TUN device (default tun0; with host tunmcp0)")
	f.StringVar(&s.addr, "addr", "", "the peer's IPv4 address with its prefix; the agent gets the next one, or the one before where there is none (default 10.77.0.1/24; with host what a device that is there has)")
	f.StringVar(&s.addr6, "addr6", "", "the peer's IPv6 address with its prefix, for instance 2001:db8:77::1/64 (default: IPv6 is off)")
	f.IntVar(&s.link.MTU, "mtu", 0, "longest packet on the link, in bytes: 68 to 65535, with IPv6 from 1280 (default 1500; with host what a device that is there has)")
	f.IntVar(&s.queue, "queue", session.DefaultQueue, fmt.Sprintf("packets that may wait for the agent, 1 to %d; the oldest is dropped when more come", session.MaxQueue))
	f.IntVar(&s.maxPPS, "max-pps", session.DefaultMaxPPS, "packets a second that the agent may write, and at once after a pause; what is over is refused; 0: no limit")
	f.StringVar(&s.assist, "assist", string(tools.AssistFix), "the most help with the bytes that the agent may ask for: none (bytes in, bytes out), check (faults are named, not sent), fix (lengths and checksums filled in)")
	f.BoolVar(&s.noASCII, "no-ascii", false, "show the agent no packet's bytes as text: hexdump has no ASCII column (docs/hostile-packets.md)")
	f.StringVar(&s.session, "session", "", "name of the session, for the other commands (default: a new one)")
	f.StringSliceVar(&s.allowDest, "allow-dest", nil, "with host: more addresses that the agent may write to, and from, as CIDR")
	f.StringVar(&s.record, "record", "", "record every packet, both ways, to this new pcapng file, for Wireshark; if it is a folder, to a new file in it; if it is a named pipe, live to its reader")
	f.StringVar(&s.impair, "impair", "", "make the link bad, each way: for instance drop=5%,duplicate=1%,reorder=2%,delay=20ms,jitter=5ms,seed=7, or some of these; the same seed decides the same")
	f.StringVar(&s.level, "log-level", "info", "what goes to stderr: debug, info, warn, error")
}

// parse turns the flags into what they stand for. Its errors name the flag,
// what came and what is accepted.
func (s *serveOptions) parse() (queue int, assist tools.Assist, allow []netip.Prefix, err error) {
	if s.addr != "" {
		if s.link.Addr, err = netip.ParsePrefix(s.addr); err != nil {
			return 0, "", nil, fmt.Errorf("--addr %q: accepted is an IPv4 address with its prefix, for instance 10.77.0.1/24", s.addr)
		}
	}
	if s.addr6 != "" {
		if s.link.Addr6, err = netip.ParsePrefix(s.addr6); err != nil {
			return 0, "", nil, fmt.Errorf("--addr6 %q: accepted is an IPv6 address with its prefix, for instance 2001:db8:77::1/64", s.addr6)
		}
	}
	if s.queue < 1 || s.queue > session.MaxQueue {
		return 0, "", nil, fmt.Errorf("--queue %d: accepted are 1 to %d packets", s.queue, session.MaxQueue)
	}
	if s.maxPPS < 0 {
		return 0, "", nil, fmt.Errorf("--max-pps %d: accepted are packets a second, from 1, and 0 for no limit", s.maxPPS)
	}
	if assist, err = tools.ParseAssist(s.assist); err != nil {
		return 0, "", nil, fmt.Errorf("--%w", err)
	}
	if s.session != "" {
		if err := control.CheckName(s.session); err != nil {
			return 0, "", nil, fmt.Errorf("--session: %w", err)
		}
	}
	for _, text := range s.allowDest {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return 0, "", nil, fmt.Errorf("--allow-dest %q: accepted is a prefix, for instance 192.0.2.0/24", text)
		}
		allow = append(allow, prefix.Masked())
	}
	switch {
	case len(allow) > 0 && s.link.Network != tun.NetworkHost:
		return 0, "", nil, errors.New("--allow-dest goes with --network host: elsewhere a link leads nowhere, and the agent may write to any address")
	case s.link.Name != "" && s.link.Network == tun.NetworkMemory:
		return 0, "", nil, errors.New("--name does not go with --network memory: there is no device to name")
	}
	if s.impair != "" {
		if s.impairment, err = tun.ParseImpairment(s.impair); err != nil {
			return 0, "", nil, fmt.Errorf("--impair: %w", err)
		}
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.level)); err != nil {
		return 0, "", nil, fmt.Errorf("--log-level %q: accepted are debug, info, warn, error", s.level)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	return s.queue, assist, allow, s.link.Validate()
}
