package scenario

import (
	"context"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// maxData is the largest amount of data in an echo request over IPv4, in bytes. The
// longest packet has 65,535 bytes, 28 of them in the headers of IPv4 and ICMP.
const maxData = 65535 - 28

// fragments sends pings that do not fit into one packet.
func fragments() Scenario {
	return Scenario{
		Name:     "fragments",
		About:    "echo requests with data of twice the link's MTU (3,000 bytes at 1,500), in fragments",
		RFC:      "RFC 791 section 3.2; RFC 1122 section 3.3.2",
		Expect:   "each is reassembled and answered once, in fragments, with every byte right",
		Requests: func(count int) int { return min(count, 5) },
		Judge:    judge.Echo,
		CannotRun: func(status session.Status) string {
			if maxData+28 <= status.MTU {
				return "the longest packet fits the link's MTU, so nothing is fragmented"
			}
			return ""
		},
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Pings(ctx, false, min(p.Settings.Count, 5), func(int) int { return min(2*p.Status.MTU, maxData) })
		},
	}
}
