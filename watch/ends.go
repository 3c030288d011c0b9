package watch

import (
	"strings"

	"github.com/tun-mcp/tun-mcp/session"
)

// Ends are the addresses of a link's two ends, for IPv4 and IPv6. "" means none.
type Ends struct{ Peer, Agent, Peer6, Agent6 string }

// EndsOf returns the addresses in a status.
func EndsOf(status session.Status) Ends {
	return Ends{host(status.Peer), status.Agent, host(status.Peer6), status.Agent6}
}

// host returns a prefix without its length.
func host(prefix string) string {
	address, _, _ := strings.Cut(prefix, "/")
	return address
}

// Without removes the IP version and addresses from the summary of a packet between
// the two ends. Ports stay. Other summaries are returned unchanged.
func (e Ends) Without(summary string) string {
	for _, ends := range [][2]string{{e.Peer, e.Agent}, {e.Agent, e.Peer}, {e.Peer6, e.Agent6}, {e.Agent6, e.Peer6}} {
		src, dst := ends[0], ends[1]
		if src == "" || dst == "" {
			continue
		}
		for _, version := range []string{"IPv4 ", "IPv6 "} {
			if rest, ok := strings.CutPrefix(summary, version+src+" > "+dst+" "); ok {
				return rest
			}
		}
		for _, form := range [][2]string{{"IPv4 " + src + ":", dst + ":"}, {"IPv6 [" + src + "]:", "[" + dst + "]:"}} {
			rest, ok := strings.CutPrefix(summary, form[0])
			from, rest, found := strings.Cut(rest, " > "+form[1])
			if ok && found {
				return from + " > " + rest
			}
		}
	}
	return summary
}
