package scenario

import (
	"context"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// ping6 sends one ICMPv6 echo request after the other.
func ping6() Scenario {
	return Scenario{
		Name:   "ping6",
		About:  "ICMPv6 echo requests with 56 bytes of data, one after the other",
		RFC:    "RFC 4443 section 4; pseudo-header of RFC 8200 section 8.1",
		Expect: "each is answered once, in time, with every byte right",
		IPv6:   true,
		Judge:  judge.Echo,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Pings(ctx, true, p.Settings.Count, func(int) int { return traffic.PingSize })
		},
	}
}
