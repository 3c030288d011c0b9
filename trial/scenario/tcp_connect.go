package scenario

import (
	"context"
	"net"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// tcpConnect opens TCP connections and closes them.
func tcpConnect() Scenario {
	return Scenario{
		Name:    "tcp-connect",
		About:   "TCP connections to port 7, opened and closed",
		RFC:     "RFC 9293 sections 3.5 and 3.6",
		Expect:  "each is established",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
			return p.Connections(ctx, p.Settings.Count, net.Conn.Close)
		},
	}
}
