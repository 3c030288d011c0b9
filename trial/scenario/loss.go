package scenario

import (
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// lossyLink is the --impair of the link, for both directions.
const lossyLink = "drop=5%,duplicate=2%,reorder=5%,delay=2ms,jitter=2ms"

// lossy fetches pages through a link that drops, duplicates and reorders packets.
func lossy() Scenario {
	return Scenario{
		Name:     "loss",
		About:    "GET / over HTTP through a link with " + lossyLink,
		RFC:      "RFC 9293 section 3.8.1, retransmission; RFC 9112 section 8, incomplete messages",
		Expect:   "status 200 and a page that is not empty and has the stated length, whatever the link does",
		Impair:   lossyLink,
		Program:  true,
		Requests: func(count int) int { return min(count, 5) },
		Judge:    judge.Program,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Programs(ctx, min(p.Settings.Count, 5),
				func(i int) string { return fmt.Sprintf("GET / %d", i+1) }, p.Fetch)
		},
	}
}
