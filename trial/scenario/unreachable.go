package scenario

import (
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// closedPort is a port on which no agent listens. RFC 6335 reserves it.
const closedPort = 49151

// unreachable sends datagrams to a closed port.
func unreachable() Scenario {
	return Scenario{
		Name:    "unreachable",
		About:   fmt.Sprintf("UDP datagrams to port %d, which is closed", closedPort),
		RFC:     "RFC 1122 sections 3.2.2 (quote) and 3.2.2.1; RFC 792, destination unreachable",
		Expect:  "the client's socket gets «connection refused», from an ICMP port unreachable that quotes its datagram unchanged",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Programs(ctx, p.Settings.Count,
				func(i int) string { return fmt.Sprintf("datagram %d", i+1) },
				func(ctx context.Context, _ int) error { return p.RefusedDatagram(ctx, closedPort, 0) })
		},
	}
}
