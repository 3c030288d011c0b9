package agent

import (
	"fmt"
	"net/netip"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// head is what the built-in agent thinks with: a TCP/IP stack at the agent's
// address, and the services that it offers. It answers pings, refuses closed
// ports, echoes on port 7 (UDP and TCP), serves HTTP on port 80 and DNS on
// port 53 (UDP and TCP).
type head struct {
	stack *netstack.Stack
	sent  chan []byte // what the stack has sent and nobody has taken yet; closed when it has ended
}

// newHead returns a head at the agent's place on a link.
func newHead(link session.Status) (*head, error) {
	config, z, err := place(link)
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

// place says where on the link the stack stands, and under which names.
func place(link session.Status) (netstack.Config, zone, error) {
	config := netstack.Config{MTU: link.MTU}
	var z zone
	var err error
	if config.Addr, err = beside(link.Peer, link.Agent); err != nil {
		return config, z, err
	}
	z.addr4 = config.Addr.Addr()
	if link.Agent6 != "" {
		if config.Addr6, err = beside(link.Peer6, link.Agent6); err != nil {
			return config, z, err
		}
		z.addr6 = config.Addr6.Addr()
	}
	return config, z, nil
}

// beside returns the agent's address with the prefix length of the peer's.
func beside(peer, agent string) (netip.Prefix, error) {
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

// pump moves what the stack sends to h.sent until the stack ends.
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

// receive hands the stack a packet. What it makes of it, it sends. A packet
// that is neither IPv4 nor IPv6 has no effect, as on any host.
func (h *head) receive(data []byte) { _, _ = h.stack.Write(data) }

// close ends the stack, its services and the pump.
func (h *head) close() {
	h.stack.Close()
	for range h.sent { // a pump that waits for a taker must see the end
	}
}
