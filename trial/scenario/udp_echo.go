package scenario

import (
	"bytes"
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// udpEcho sends UDP datagrams to the echo service.
func udpEcho() Scenario {
	return Scenario{
		Name:    "udp-echo",
		About:   "UDP datagrams of 1 to 512 bytes to port 7",
		RFC:     "RFC 862, UDP echo; RFC 768",
		Expect:  "each comes back unchanged",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Programs(ctx, p.Settings.Count,
				func(i int) string { return fmt.Sprintf("datagram %d", i+1) },
				func(ctx context.Context, _ int) error {
					conn, err := p.Dial(ctx, "udp4", 7, 0)
					if err != nil {
						return err
					}
					defer conn.Close()
					sent, got := p.Random(1+p.Rand.IntN(512)), make([]byte, 2000)
					if _, err := conn.Write(sent); err != nil {
						return err
					}
					n, err := conn.Read(got)
					if err == nil && !bytes.Equal(got[:n], sent) {
						err = fmt.Errorf("the answer has %d bytes and differs from the %d bytes sent", n, len(sent))
					}
					return err
				})
		},
	}
}
