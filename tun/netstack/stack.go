// Package netstack wraps a whole TCP/IP stack (gVisor's) as a device. The stack runs
// inside the process, on any operating system and without privileges. Read returns the
// packets that it sends, Write hands packets to it, and methods like those of package
// net open its sockets.
//
// It is the peer of the memory network, and the head of the built-in agent.
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

// DefaultMTU and DefaultQueue replace a zero MTU and Queue of a Config.
const (
	DefaultMTU = 1500

	// DefaultQueue holds everything that one TCP connection can have in flight. A
	// send buffer grows up to 4 MiB, which is 2,900 segments at the default MTU. So
	// a bulk transfer never loses a segment in the queue.
	DefaultQueue = 4096

	// queueBytes limits the default queue if packets may be long.
	queueBytes = 32 << 20
)

// A Config configures a Stack.
type Config struct {
	// Addr is the stack's IPv4 address with the link's prefix, such as 10.77.0.1/24.
	// It must be set. The stack reaches only this prefix; it has no default route.
	Addr netip.Prefix

	// Addr6 is the same for IPv6. Zero turns IPv6 off: the stack sends none and
	// accepts none. The address is usable at once, without duplicate address
	// detection, and the stack sends no router solicitations or multicast reports,
	// which nobody on this link would answer.
	Addr6 netip.Prefix

	// MTU is the longest packet that the stack sends, in bytes: 68 to 65,535, or with
	// IPv6 1,280 to 65,535 (RFC 791, section 3.2; RFC 8200, section 5). Zero means
	// DefaultMTU. The stack also accepts longer packets.
	MTU int

	// Queue is how many packets from the stack may wait for Read, 1 to 1,048,576.
	// Zero means DefaultQueue, or with an MTU over 8,192 as many as fill 32 MiB. When
	// the queue is full, the newest packet is dropped and counted (see Dropped), as
	// in the ring of a network card. The stack never waits for its reader: it answers
	// during Write, and two stacks that feed each other would then block.
	Queue int
}

// nicID is the number of the stack's only interface.
const nicID tcpip.NICID = 1

// A Stack is a complete host with one interface, its addresses and its sockets. It
// answers pings, refuses closed ports, fragments and reassembles. It does not forward.
type Stack struct {
	ip    *stack.Stack
	link  *link
	addr4 netip.Addr
	addr6 netip.Addr // the zero Addr if IPv6 is off
	taps  taps

	// done ends when Close begins; it wakes a blocked Read.
	done context.Context
	end  context.CancelFunc

	// gate keeps Close from destroying the stack while a packet is coming in: Write
	// holds it for reading, Close for writing.
	gate   sync.RWMutex
	closed bool // guarded by gate
}

// New returns a running stack. Its addresses are usable at once.
func New(cfg Config) (*Stack, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("make network stack: %w", err)
	}
	// gVisor would log every odd packet to stderr, but here odd packets are normal.
	log.SetLevel(log.Warning)

	network := []stack.NetworkProtocolFactory{ipv4.NewProtocol}
	transport := []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4}
	if cfg.Addr6.IsValid() {
		// Zero options mean no router solicitations, no duplicate address
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
			// A host talks to itself without the wire, and drops packets from
			// the wire that claim to come from itself.
			HandleLocal: true,
		}),
		link:  newLink(cfg.Queue, cfg.MTU),
		addr4: cfg.Addr.Addr(),
		addr6: cfg.Addr6.Addr(),
		done:  done,
		end:   end,
	}
	// Turn off the rate limit for ICMP errors (1,000 a second, 50 at once; it never
	// applies to echo replies). It protects hosts on the open Internet, but here a
	// refused datagram without an answer would count as a loss of the agent.
	// math.MaxFloat64 is rate.Inf.
	s.ip.SetICMPLimit(math.MaxFloat64)

	if err := s.up(cfg); err != nil {
		s.Close()
		return nil, fmt.Errorf("make network stack: %w", err)
	}
	return s, nil
}

// up creates the interface and adds its addresses and the routes to its prefixes.
func (s *Stack) up(cfg Config) error {
	if err := s.ip.CreateNIC(nicID, s.link); err != nil {
		return fmt.Errorf("create the interface: %s", err)
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
			return fmt.Errorf("add the address %s: %s", prefix, err)
		}
		routes = append(routes, tcpip.Route{Destination: addr.AddressWithPrefix.Subnet(), NIC: nicID})
	}
	s.ip.SetRouteTable(routes)
	return nil
}

// withDefaults replaces zero fields by the defaults, and checks the bounds.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.MTU == 0 {
		cfg.MTU = DefaultMTU
	}
	if cfg.Queue == 0 {
		cfg.Queue = min(DefaultQueue, queueBytes/cfg.MTU)
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
		return cfg, fmt.Errorf("MTU is %d; use %d to %d", cfg.MTU, least, math.MaxUint16)
	case cfg.Queue < 1 || cfg.Queue > 1<<20:
		return cfg, fmt.Errorf("the field Queue is %d; use 1 to %d", cfg.Queue, 1<<20)
	}
	return cfg, nil
}

// protocolOf returns gVisor's protocol number for an address's family.
func protocolOf(addr netip.Addr) tcpip.NetworkProtocolNumber {
	if addr.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}
