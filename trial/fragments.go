package trial

import (
	"context"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// mostData is the most data of an echo request over IPv4, in bytes: the longest
// packet has 65,535, of which the headers of IPv4 and ICMP take 28.
const mostData = 65535 - 28

// fragments are pings that do not fit into one packet.
func fragments() Scenario {
	return Scenario{
		Name:   "fragments",
		About:  "echo requests with twice the link's MTU in data (3,000 bytes at 1,500), which come in fragments",
		RFC:    "RFC 791 section 3.2; RFC 1122 section 3.3.2",
		Expect: "each is put together and answered once, in fragments, every byte right",
		Judge:  judge.Echo,
		Unfit: func(status session.Status) string {
			if mostData+28 <= status.MTU {
				return "the link's MTU holds the longest packet: nothing comes in fragments"
			}
			return ""
		},
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.pings(ctx, false, min(f.Settings.Count, 5), func(int) int { return min(2*f.Status.MTU, mostData) })
		},
	}
}
