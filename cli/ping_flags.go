package cli

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/ping"
	"github.com/tun-mcp/tun-mcp/session"
)

// pingOptions holds the flags of ping as text; parse checks them.
type pingOptions struct {
	count, interval, size, wait string
	flood, is6, quiet           bool
	session                     string
	socket                      string // the session's control socket; if set, ping from this process
}

func (o *pingOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	o.size, o.wait = "56", "10"
	f.VarP(text{&o.count, "n"}, "count", "c", "stop after n requests (default: at Ctrl-C)")
	f.VarP(text{&o.interval, "seconds"}, "interval", "i", "seconds between requests (default 1); 0, and the default with -f: as fast as replies come, at least 100 a second")
	f.VarP(text{&o.size, "bytes"}, "size", "s", fmt.Sprintf("bytes of payload, 0 to %d, with -6 to %d", ping.MaxSize, ping.MaxSize6))
	f.VarP(text{&o.wait, "seconds"}, "wait", "W", "seconds to wait for a first reply after the last request, 0 for no limit; once there was a reply, it waits twice the longest round trip, at least 1 s")
	f.BoolVarP(&o.flood, "flood", "f", false, "print a dot for each request and a backspace for each reply")
	f.BoolVarP(&o.is6, "ipv6", "6", false, "ping the agent's IPv6 address")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print only the first line and the statistics")
	f.Var(text{&o.session, "name"}, "session", sessionHelp)
	f.StringVar(&o.socket, "from-here", "", "ping from this process's network; this is the path of the session's control socket")
	_ = f.MarkHidden("from-here")
}

// text is a flag's value as given. The help shows what as its type.
type text struct {
	value *string
	what  string
}

func (t text) String() string { return *t.value }

func (t text) Set(value string) error { *t.value = value; return nil }

func (t text) Type() string { return t.what }

// longest bounds -i and -W: a time.Duration holds 292 years.
const longest = 100 * 365 * 24 * time.Hour

// parse parses flags and arguments. To is invalid if no address was given.
func (o *pingOptions) parse(args []string) (c ping.Config, err error) {
	c = ping.Config{Interval: time.Second, Flood: o.flood, Quiet: o.quiet}
	if o.count != "" {
		if c.Count, err = strconv.Atoi(o.count); err != nil || c.Count < 1 {
			return c, fmt.Errorf("ping: -c %q: accepted is a number of requests, 1 or more", o.count)
		}
	}
	if o.flood {
		c.Interval = 0
	}
	if o.interval != "" {
		if c.Interval, err = seconds(o.interval); err != nil {
			return c, fmt.Errorf("ping: -i %q: %w", o.interval, err)
		}
	}
	if c.Wait, err = seconds(o.wait); err != nil {
		return c, fmt.Errorf("ping: -W %q: %w", o.wait, err)
	}
	if len(args) > 0 {
		if c.To, err = netip.ParseAddr(args[0]); err != nil {
			return c, fmt.Errorf("ping: %q is not an IP address: accepted is one of the agent's (default: its IPv4 address)", args[0])
		}
		if o.is6 && c.To.Is4() {
			return c, fmt.Errorf("ping: -6 with the IPv4 address %s: leave out one of the two", c.To)
		}
		o.is6 = c.To.Is6()
	}
	most := ping.MaxSize
	if o.is6 {
		most = ping.MaxSize6
	}
	if c.Size, err = strconv.Atoi(o.size); err != nil || c.Size < 0 || c.Size > most {
		return c, fmt.Errorf("ping: -s %q: accepted are 0 to %d bytes of payload (the longest packet has 65535, headers included)", o.size, most)
	}
	return c, nil
}

// seconds parses a time of 0 s or more. It rounds up, so that a positive time stays
// positive.
func seconds(text string) (time.Duration, error) {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(s >= 0 && s <= longest.Seconds()) {
		return 0, fmt.Errorf("accepted is a time in seconds, 0 or more, for instance 0.2")
	}
	return time.Duration(math.Ceil(s * float64(time.Second))), nil
}

// agent returns the agent's address to ping. asked is invalid if the user named
// none.
func (o *pingOptions) agent(status session.Status, asked netip.Addr) (netip.Addr, error) {
	var has []string
	for _, text := range []string{status.Agent, status.Agent6} {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			continue
		}
		if asked == addr || !asked.IsValid() && addr.Is6() == o.is6 {
			return addr, nil
		}
		has = append(has, text)
	}
	if asked.IsValid() {
		return asked, fmt.Errorf("ping: %s is not an address of the agent; in session %s the agent has %s", asked, status.Session, strings.Join(has, " and "))
	}
	if o.is6 {
		return asked, fmt.Errorf("ping: -6: IPv6 is off in session %s: start the server with --addr6 2001:db8:77::1/64", status.Session)
	}
	return asked, fmt.Errorf("ping: session %s does not know its agent's IPv4 address: start the server with --addr, for instance 10.77.0.1/24", status.Session)
}

// again returns the command line that does the same ping from another network.
func (o *pingOptions) again(self, socket string, to netip.Addr) []string {
	args := []string{self, "ping", "--from-here=" + socket, "-s", o.size, "-W", o.wait}
	if o.count != "" {
		args = append(args, "-c", o.count)
	}
	if o.interval != "" {
		args = append(args, "-i", o.interval)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{o.flood, "-f"}, {o.quiet, "-q"}} {
		if flag.set {
			args = append(args, flag.name)
		}
	}
	return append(args, to.String())
}
