package scenario

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// dnsLookup asks the agent for its own address over DNS.
func dnsLookup() Scenario {
	return Scenario{
		Name:    "dns",
		About:   "DNS queries for the A record of agent.test, over UDP to port 53",
		RFC:     "RFC 1035 sections 4.1 and 4.2.1; RFC 6891 section 7",
		Expect:  "the answer is the agent's own address",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Programs(ctx, p.Settings.Count,
				func(i int) string { return fmt.Sprintf("query %d", i+1) },
				func(ctx context.Context, _ int) error { return lookUp(ctx, p) })
		},
	}
}

// lookUp returns nil if the agent's name server gives the agent's address.
func lookUp(ctx context.Context, p *traffic.Peer) error {
	found, err := p.LookUp(ctx)
	if err != nil {
		return err
	}
	if want, _ := netip.ParseAddr(p.Status.Agent); !slices.Equal(found, []netip.Addr{want}) {
		return fmt.Errorf("agent.test is %v, want %s", found, want)
	}
	return nil
}
