package scenario

import (
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// httpGet fetches a page from the agent.
func httpGet() Scenario {
	return Scenario{
		Name:     "http",
		About:    "GET / over HTTP from port 80",
		RFC:      "RFC 9110; RFC 9112; RFC 9293",
		Expect:   "status 200 and a page that is not empty and has the stated length",
		Program:  true,
		Requests: func(count int) int { return min(count, 5) },
		Judge:    judge.Program,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Programs(ctx, min(p.Settings.Count, 5),
				func(i int) string { return fmt.Sprintf("GET / %d", i+1) }, p.Fetch)
		},
	}
}
