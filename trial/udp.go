package trial

import (
	"bytes"
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// closedPort is where no agent listens: RFC 6335 leaves it to nobody.
const closedPort = 49151

// unreachable sends datagrams to a port where nobody listens.
func unreachable() Scenario {
	return Scenario{
		Name:    "unreachable",
		About:   fmt.Sprintf("UDP datagrams to port %d, where nobody listens", closedPort),
		RFC:     "RFC 1122 sections 3.2.2 (quote) and 3.2.2.1; RFC 792, destination unreachable",
		Expect:  "the client's socket sees «connection refused», from an ICMP port unreachable that quotes its datagram unchanged",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.programs(ctx, f.Settings.Count,
				func(i int) string { return fmt.Sprintf("datagram %d", i+1) },
				func(ctx context.Context, _ int) error { return f.refusedDatagram(ctx, closedPort, 0) })
		},
	}
}

// traceroute sends what traceroute sends: datagrams with a growing TTL.
func traceroute() Scenario {
	return Scenario{
		Name:    "traceroute",
		About:   "UDP datagrams to ports from 33434 on with TTL 1, 2, 3: the probes of traceroute",
		RFC:     "RFC 1812 section 5.3.1 (TTL is for routers, the destination takes it); RFC 792, port unreachable",
		Expect:  "the agent is the first hop and the last: each probe is answered with port unreachable that quotes it unchanged",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.programs(ctx, 3,
				func(i int) string { return fmt.Sprintf("TTL %d", i+1) },
				func(ctx context.Context, i int) error { return f.refusedDatagram(ctx, 33434+i, i+1) })
		},
	}
}

// udpEcho sends datagrams to the echo service.
func udpEcho() Scenario {
	return Scenario{
		Name:    "udp-echo",
		About:   "UDP datagrams of 1 to 512 bytes to port 7",
		RFC:     "RFC 862, UDP echo; RFC 768",
		Expect:  "each comes back as it was sent",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.programs(ctx, f.Settings.Count,
				func(i int) string { return fmt.Sprintf("datagram %d", i+1) },
				func(ctx context.Context, _ int) error {
					conn, err := f.dial(ctx, "udp4", 7, 0)
					if err != nil {
						return err
					}
					defer conn.Close()
					sent, got := f.random(1+f.Rand.IntN(512)), make([]byte, 2000)
					if _, err := conn.Write(sent); err != nil {
						return err
					}
					n, err := conn.Read(got)
					if err == nil && !bytes.Equal(got[:n], sent) {
						err = fmt.Errorf("%d bytes came back for %d, or others than were sent", n, len(sent))
					}
					return err
				})
		},
	}
}
