package trial

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// dnsName is what the agent's name server is asked for.
const dnsName = "agent.test."

// dnsLookup asks the agent for its own address.
func dnsLookup() Scenario {
	return Scenario{
		Name:    "dns",
		About:   "DNS queries for the A record of agent.test, over UDP to port 53",
		RFC:     "RFC 1035 sections 4.1 and 4.2.1",
		Expect:  "the answer is the agent's own address",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.programs(ctx, f.Settings.Count,
				func(i int) string { return fmt.Sprintf("query %d", i+1) }, f.lookUp)
		},
	}
}

// lookUp resolves dnsName with Go's own resolver, through the peer's stack.
func (f *Field) lookUp(ctx context.Context, _ int) error {
	// The resolver gives each try a few seconds, whatever the trial's deadline
	// is: its own context and deadlines are left out.
	resolver := net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
		conn, err := f.dial(ctx, network[:3]+"4", 53, 0)
		if err == nil && network[:3] == "udp" {
			conn = datagrams{conn}
		}
		return conn, err
	}}
	found, err := resolver.LookupNetIP(ctx, "ip4", dnsName)
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0].String() != f.Status.Agent {
		return fmt.Errorf("%s is %v, want %s", dnsName, found, f.Status.Agent)
	}
	return nil
}

// datagrams makes the resolver see that a connection keeps the bounds of
// datagrams: without a net.PacketConn it would speak DNS as over TCP.
type datagrams struct{ net.Conn }

func (d datagrams) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := d.Read(p)
	return n, d.RemoteAddr(), err
}

// SetDeadline leaves the connection with the trial's own deadline.
func (d datagrams) SetDeadline(time.Time) error { return nil }

func (d datagrams) WriteTo(p []byte, _ net.Addr) (int, error) { return d.Write(p) }
