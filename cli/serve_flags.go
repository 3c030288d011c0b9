package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun"
)

// serveOptions holds the flags of serve, as text; parse checks them.
type serveOptions struct {
	link                   tun.Config
	addr, addr6            string
	queue, maxPPS          int
	assist, session, level string
	logLevel               slog.Level // parsed level
	record, impair         string
	impairment             tun.Impairment // parsed impair
	allowDest              []string
	noASCII                bool
	http                   httpOptions
	called                 func(session.Call) // if not nil, is called after every tool call
	watch                  webOptions
	handler, handlers      string
	limits                 handler.Limits
	handlerMemory          int // MiB
}

func (s *serveOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&s.link.Network, "network", tun.NetworkAuto, "where the peer lives: private (the kernel, in a namespace; no root), host (this machine's own network), memory (inside this process), auto (private if available, else memory)")
	f.StringVar(&s.link.Name, "name", "", "name of the TUN device (default tun0; with host tunmcp0)")
	f.StringVar(&s.addr, "addr", "", "the peer's IPv4 address and prefix length; the agent gets the next address, or the previous one if there is no next (default 10.77.0.1/24; with host that of an existing device)")
	f.StringVar(&s.addr6, "addr6", "", "the peer's IPv6 address and prefix length, for instance 2001:db8:77::1/64 (default: IPv6 is off)")
	f.IntVar(&s.link.MTU, "mtu", 0, "longest packet on the link, in bytes: 68 to 65535, with IPv6 at least 1280 (default 1500; with host that of an existing device)")
	f.IntVar(&s.queue, "queue", session.DefaultQueue, fmt.Sprintf("how many packets may wait for the agent, 1 to %d; when it is full, the oldest is dropped", session.MaxQueue))
	f.IntVar(&s.maxPPS, "max-pps", session.DefaultMaxPPS, "how many packets a second the agent may write (also the burst size); more are refused; 0 means no limit")
	f.StringVar(&s.assist, "assist", string(tools.AssistFix), "the most help with the bytes that the agent may ask for: none (bytes in, bytes out), check (faults are named, not sent), fix (lengths and checksums filled in)")
	f.BoolVar(&s.noASCII, "no-ascii", false, "never show packet bytes to the agent as text: hexdump has no ASCII column (docs/hostile-packets.md)")
	f.StringVar(&s.session, "session", "", "name of the session, for the other commands (default: a random one)")
	f.StringSliceVar(&s.allowDest, "allow-dest", nil, "with host: more addresses that the agent may write to and from, as prefixes")
	f.StringVar(&s.record, "record", "", "record every packet, both ways, to this new pcapng file, for Wireshark; a folder gets a new file in it, a named pipe is written live")
	f.StringVar(&s.impair, "impair", "", "impair the link, each way, by any of drop=5%, duplicate=1%, reorder=2%, delay=20ms, jitter=5ms and seed=7, joined by commas; the same seed gives the same decisions")
	f.StringVar(&s.handlers, "handlers", "on", "let the agent install packet handlers, programs that answer packets in its place: on or off")
	f.StringVar(&s.handler, "handler", "", "start with the packet handler in this file (docs/write-handler.md)")
	f.IntVar(&s.limits.Source, "handler-source", handler.DefaultSource, "longest source of a handler, in bytes")
	f.IntVar(&s.limits.Steps, "handler-steps", handler.DefaultSteps, "most Starlark steps that a handler may take for a packet, up to 1000000")
	f.DurationVar(&s.limits.Time, "handler-time", handler.DefaultTime, "longest time that a handler may take for a packet")
	f.IntVar(&s.handlerMemory, "handler-memory", handler.DefaultMemory>>20, "most memory for a handler's state and globals, in MiB; the server may grow by up to five times this")
	f.StringVar(&s.level, "log-level", "info", "lowest level that is logged to stderr: debug, info, warn, error")
}

// parse checks the flags and parses them. Its errors name the flag, what came and
// what is accepted.
func (s *serveOptions) parse() (assist tools.Assist, allow []netip.Prefix, err error) {
	if s.addr != "" {
		if s.link.Addr, err = netip.ParsePrefix(s.addr); err != nil {
			return "", nil, fmt.Errorf("--addr %q: accepted is an IPv4 address and prefix length, for instance 10.77.0.1/24", s.addr)
		}
	}
	if s.addr6 != "" {
		if s.link.Addr6, err = netip.ParsePrefix(s.addr6); err != nil {
			return "", nil, fmt.Errorf("--addr6 %q: accepted is an IPv6 address and prefix length, for instance 2001:db8:77::1/64", s.addr6)
		}
	}
	if s.queue < 1 || s.queue > session.MaxQueue {
		return "", nil, fmt.Errorf("--queue %d: accepted are 1 to %d packets", s.queue, session.MaxQueue)
	}
	if s.maxPPS < 0 {
		return "", nil, fmt.Errorf("--max-pps %d: accepted is a number of packets a second, or 0 for no limit", s.maxPPS)
	}
	if assist, err = tools.ParseAssist(s.assist); err != nil {
		return "", nil, fmt.Errorf("--%w", err)
	}
	if s.session != "" {
		if err := control.CheckName(s.session); err != nil {
			return "", nil, fmt.Errorf("--session: %w", err)
		}
	}
	for _, text := range s.allowDest {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return "", nil, fmt.Errorf("--allow-dest %q: accepted is a prefix, for instance 192.0.2.0/24", text)
		}
		allow = append(allow, prefix.Masked())
	}
	switch {
	case len(allow) > 0 && s.link.Network != tun.NetworkHost:
		return "", nil, errors.New("--allow-dest needs --network host: the other networks reach nothing else, so the agent may write to any address there")
	case s.link.Name != "" && s.link.Network == tun.NetworkMemory:
		return "", nil, errors.New("--name does not go with --network memory: there is no device to name")
	}
	if err := s.parseHandler(); err != nil {
		return "", nil, err
	}
	if s.impair != "" {
		if s.impairment, err = tun.ParseImpairment(s.impair); err != nil {
			return "", nil, fmt.Errorf("--impair: %w", err)
		}
	}
	if err := s.logLevel.UnmarshalText([]byte(s.level)); err != nil {
		return "", nil, fmt.Errorf("--log-level %q: accepted are debug, info, warn, error", s.level)
	}
	return assist, allow, s.link.Validate()
}
