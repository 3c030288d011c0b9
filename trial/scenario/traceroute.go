package scenario

import (
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// traceroute sends the probes of traceroute: datagrams with increasing TTL.
func traceroute() Scenario {
	return Scenario{
		Name:     "traceroute",
		About:    "UDP datagrams to ports 33434 to 33436 with TTL 1 to 3: the probes of traceroute",
		RFC:      "RFC 1812 section 5.3.1 (only routers check the TTL, the destination accepts any); RFC 792, port unreachable",
		Expect:   "the agent is the first and last hop: it answers each probe with port unreachable that quotes the probe unchanged",
		Program:  true,
		Requests: func(int) int { return 3 },
		Judge:    judge.Program,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Programs(ctx, 3,
				func(i int) string { return fmt.Sprintf("TTL %d", i+1) },
				func(ctx context.Context, i int) error { return p.RefusedDatagram(ctx, 33434+i, i+1) })
		},
	}
}
