package agent

import (
	"fmt"
	"net/netip"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// head answers for the built-in agent: a TCP/IP stack with the agent's address and
// some services. It answers pings, refuses closed ports, echoes on port 7 (UDP
// and TCP), serves HTTP on port 80 and DNS on port 53 (UDP and TCP).
type head struct {
	stack *netstack.Stack
	sent  chan []byte // the packets from the stack; closed when the stack has ended
}

// newHead returns a head with the agent's addresses on a link.
func newHead(link session.Status) (*head, error) {
	config, z, err := stackConfig(link)
	if err != nil {
		return nil, fmt.Errorf("making the agent's stack: %w", err)
	}
	stack, err := netstack.New(config)
	if err != nil {
		return nil, err
	}
	h := &head{stack: stack, sent: make(chan []byte, 4*batchPackets)}
	go h.pump()
	if err := h.serve(z); err != nil {
		h.close()
		return nil, fmt.Errorf("starting the agent's services: %w", err)
	}
	return h, nil
}

// stackConfig returns the stack's configuration and the DNS zone for a link.
func stackConfig(link session.Status) (netstack.Config, zone, error) {
	config := netstack.Config{MTU: link.MTU}
	var z zone
	var err error
	if config.Addr, err = agentPrefix(link.Peer, link.Agent); err != nil {
		return config, z, err
	}
	z.addr4 = config.Addr.Addr()
	if link.Agent6 != "" {
		if config.Addr6, err = agentPrefix(link.Peer6, link.Agent6); err != nil {
			return config, z, err
		}
		z.addr6 = config.Addr6.Addr()
	}
	return config, z, nil
}

// agentPrefix returns the agent's address with the prefix length of the peer's.
func agentPrefix(peer, agent string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(peer)
	if err != nil {
		return prefix, fmt.Errorf("the peer's address in the status: %w", err)
	}
	addr, err := netip.ParseAddr(agent)
	if err != nil {
		return prefix, fmt.Errorf("the agent's address in the status: %w", err)
	}
	return netip.PrefixFrom(addr, prefix.Bits()), nil
}

// serve starts the services.
func (h *head) serve(z zone) error {
	for _, start := range []func() error{
		func() error { return serveEcho(h.stack) },
		func() error { return serveHTTP(h.stack, z) },
		func() error { return serveDNS(h.stack, z) },
	} {
		if err := start(); err != nil {
			return err
		}
	}
	return nil
}

// pump moves the stack's packets to h.sent until the stack ends.
func (h *head) pump() {
	defer close(h.sent)
	buffer := make([]byte, longestPacket)
	for {
		n, err := h.stack.Read(buffer)
		if err != nil {
			return
		}
		h.sent <- append([]byte(nil), buffer[:n]...)
	}
}

// receive hands a packet to the stack. Its answers come out of h.sent. A packet
// that is neither IPv4 nor IPv6 has no effect, as on any host.
func (h *head) receive(data []byte) { _, _ = h.stack.Write(data) }

// close ends the stack, its services and the pump.
func (h *head) close() {
	h.stack.Close()
	for range h.sent { // unblock a pump that waits to send
	}
}
