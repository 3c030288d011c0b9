package scenario

import (
	"context"
	"net"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// echoedBytes is how many bytes each connection of tcp-echo sends.
const echoedBytes = 1000

// tcpEcho sends data through a TCP connection and expects it back.
func tcpEcho() Scenario {
	return Scenario{
		Name:     "tcp-echo",
		About:    "1,000 bytes over TCP to port 7",
		RFC:      "RFC 862, TCP echo; RFC 9293",
		Expect:   "they come back unchanged",
		Program:  true,
		Requests: func(count int) int { return min(count, 5) },
		Judge:    judge.TCPEcho(echoedBytes),
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Connections(ctx, min(p.Settings.Count, 5), func(conn net.Conn) error {
				defer conn.Close()
				return p.EchoBack(conn, echoedBytes)
			})
		},
	}
}
