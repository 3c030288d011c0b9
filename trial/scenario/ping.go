package scenario

import (
	"context"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// ping sends one echo request after the other.
func ping() Scenario {
	return Scenario{
		Name:   "ping",
		About:  "echo requests with 56 bytes of data, one after the other",
		RFC:    "RFC 792, echo; RFC 1122 section 3.2.2.6",
		Expect: "each is answered once, in time, with every byte right",
		Judge:  judge.Echo,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Pings(ctx, false, p.Settings.Count, func(int) int { return traffic.PingSize })
		},
	}
}
