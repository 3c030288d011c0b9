// Package netstack is a whole TCP/IP stack (gVisor's) as just another device:
// in the process, on any operating system, without any rights. What the stack
// sends is read from it, what is written to it the stack receives, and its
// sockets are opened with methods that look like those of package net.
//
// It is the peer of a link in memory, and the head of the built-in reference
// agent.
package netstack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync"

	"gvisor.dev/gvisor/pkg/log"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// DefaultMTU and DefaultQueue are what a zero MTU and Queue of a Config mean.
const (
	DefaultMTU = 1500

	// DefaultQueue holds all that one TCP connection can have in flight: a
	// send buffer grows to 4 MiB, which at the default MTU is 2,900 segments.
	// A bulk transfer therefore never loses a segment in the queue.
	DefaultQueue = 4096
)

// A Config says what a Stack is to be.
type Config struct {
	// Addr is the stack's own IPv4 address with the prefix of the link, such
	// as 10.77.0.1/24. It must be set. Only the prefix can be reached; there
	// is no default route.
	Addr netip.Prefix

	// Addr6 is the same for IPv6. Zero switches IPv6 off: nothing is sent and
	// nothing accepted. The address is usable at once, without duplicate
	// address detection, and the stack sends no router solicitations and no
	// multicast reports: on this link nobody would answer.
	Addr6 netip.Prefix

	// MTU is the longest packet that the stack sends, in bytes, 68 to 65,535
	// (with IPv6 1,280 to 65,535; RFC 791, section 3.2, and RFC 8200, section
	// 5). Zero: DefaultMTU. A longer packet is still accepted.
	MTU int

	// Queue is how many packets that the stack sent may wait for Read, 1 to
	// 1,048,576. Zero: DefaultQueue. When it is full the newest is dropped and
	// counted (see Dropped), as a network card's full ring does. The stack
	// never waits for its reader, because a stack that answers from within
	// Write and waits there stops two stacks that feed each other.
	Queue int
}

// nicID is the number of the stack's one interface.
const nicID tcpip.NICID = 1

// A Stack is a host of its own: one interface, its addresses, its sockets. It
// answers pings, refuses closed ports, fragments and reassembles, and forwards
// nothing.
type Stack struct {
	ip    *stack.Stack
	link  *link
	addr4 netip.Addr
	addr6 netip.Addr // invalid: IPv6 is off
	taps  taps

	// done ends when Close begins; it wakes a blocked Read.
	done context.Context
	end  context.CancelFunc

	// gate keeps Close from taking the stack apart while a packet is on its
	// way in: Write holds it for reading, Close for writing.
	gate   sync.RWMutex
	closed bool // guarded by gate
}

// New makes a stack that is up: its addresses can be used at once.
func New(cfg Config) (*Stack, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("make network stack: %w", err)
	}
	// gVisor reports every kind of odd packet on stderr as information; here
	// odd packets are the daily bread.
	log.SetLevel(log.Warning)

	network := []stack.NetworkProtocolFactory{ipv4.NewProtocol}
	transport := []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4}
	if cfg.Addr6.IsValid() {
		// The zero options: no router solicitations, no duplicate address
		// detection, no link-local address, no multicast listener reports, and
		// router advertisements ignored.
		network = append(network, ipv6.NewProtocolWithOptions(ipv6.Options{}))
		transport = append(transport, icmp.NewProtocol6)
	}
	done, end := context.WithCancel(context.Background())
	s := &Stack{
		ip: stack.New(stack.Options{
			NetworkProtocols:   network,
			TransportProtocols: transport,
			// A host talks to itself without a wire, and takes a packet from
			// the wire that claims to come from itself for the forgery it is.
			HandleLocal: true,
		}),
		link:  newLink(cfg.Queue, cfg.MTU),
		addr4: cfg.Addr.Addr(),
		addr6: cfg.Addr6.Addr(),
		done:  done,
		end:   end,
	}
	// The limiter (1,000 a second, 50 at once) touches ICMP errors only, never
	// echo replies. It is off all the same: it protects a host on the open
	// Internet, while here a refused datagram without its answer would be
	// counted as a loss of the agent. math.MaxFloat64 is rate.Inf.
	s.ip.SetICMPLimit(math.MaxFloat64)

	if err := s.up(cfg); err != nil {
		s.Close()
		return nil, fmt.Errorf("make network stack: %w", err)
	}
	return s, nil
}

// up puts the interface, its addresses and the routes to its prefixes in place.
func (s *Stack) up(cfg Config) error {
	if err := s.ip.CreateNIC(nicID, s.link); err != nil {
		return fmt.Errorf("create its interface: %s", err)
	}
	var routes []tcpip.Route
	for _, prefix := range []netip.Prefix{cfg.Addr, cfg.Addr6} {
		if !prefix.IsValid() {
			continue
		}
		addr := tcpip.ProtocolAddress{
			Protocol: protocolOf(prefix.Addr()),
			AddressWithPrefix: tcpip.AddressWithPrefix{
				Address:   tcpip.AddrFromSlice(prefix.Addr().AsSlice()),
				PrefixLen: prefix.Bits(),
			},
		}
		if err := s.ip.AddProtocolAddress(nicID, addr, stack.AddressProperties{}); err != nil {
			return fmt.Errorf("give it the address %s: %s", prefix, err)
		}
		routes = append(routes, tcpip.Route{Destination: addr.AddressWithPrefix.Subnet(), NIC: nicID})
	}
	s.ip.SetRouteTable(routes)
	return nil
}

// withDefaults fills in what zero means, and checks the bounds.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.MTU == 0 {
		cfg.MTU = DefaultMTU
	}
	if cfg.Queue == 0 {
		cfg.Queue = DefaultQueue
	}
	least := header.IPv4MinimumMTU
	if cfg.Addr6.IsValid() {
		least = header.IPv6MinimumMTU
	}
	switch {
	case !cfg.Addr.IsValid() || !cfg.Addr.Addr().Is4():
		return cfg, errors.New("Addr must be an IPv4 address with its prefix length, such as 10.77.0.1/24")
	case cfg.Addr6 != netip.Prefix{} && (!cfg.Addr6.IsValid() || !cfg.Addr6.Addr().Is6() || cfg.Addr6.Addr().Is4In6()):
		return cfg, errors.New("Addr6 must be an IPv6 address with its prefix length, such as 2001:db8:77::1/64, or zero")
	case cfg.MTU < least || cfg.MTU > math.MaxUint16:
		return cfg, fmt.Errorf("MTU is %d, must be %d to %d", cfg.MTU, least, math.MaxUint16)
	case cfg.Queue < 1 || cfg.Queue > 1<<20:
		return cfg, fmt.Errorf("the field Queue is %d, must be 1 to %d", cfg.Queue, 1<<20)
	}
	return cfg, nil
}

// protocolOf is gVisor's number for an address's family.
func protocolOf(addr netip.Addr) tcpip.NetworkProtocolNumber {
	if addr.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}
