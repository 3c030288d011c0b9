package ping

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A Kernel is an ICMP socket of the local kernel. A raw socket also receives
// replies with a wrong checksum and ICMP errors. The datagram socket that an
// ordinary user may open (Linux: sysctl net.ipv4.ping_group_range) receives
// only valid replies.
type Kernel struct {
	conn *icmp.PacketConn
	to   net.Addr
	is6  bool
	raw  bool
	id   uint16 // identifier of a raw socket's requests; the kernel chooses a datagram socket's

	start  time.Time             // sent is relative to this
	sent   [1 << 16]atomic.Int64 // when the latest request with each sequence number was sent, in ns
	buffer [MaxSize6 + 8]byte    // used by Receive
}

// OpenKernel opens a socket that pings to.
func OpenKernel(to netip.Addr) (*Kernel, error) {
	k, err := openKernel(to, true)
	if err == nil {
		return k, nil
	}
	k, second := openKernel(to, false)
	if second == nil {
		return k, nil
	}
	return nil, fmt.Errorf("open an ICMP socket: %w (raw: %w); allow users to ping with `sudo sysctl net.ipv4.ping_group_range=\"0 2147483647\"`, or run this as root", second, err)
}

func openKernel(to netip.Addr, raw bool) (*Kernel, error) {
	k := &Kernel{is6: to.Is6(), raw: raw, start: time.Now(), id: uint16(1 + rand.N(0xffff))}
	network, any := "ip4:1", "0.0.0.0"
	switch {
	case raw && k.is6:
		network, any = "ip6:58", "::"
	case k.is6:
		network, any = "udp6", "::"
	case !raw:
		network = "udp4"
	}
	if k.to = (&net.UDPAddr{IP: to.AsSlice()}); raw {
		k.to = &net.IPAddr{IP: to.AsSlice()}
	}
	var err error
	if k.conn, err = icmp.ListenPacket(network, any); err != nil {
		return nil, err
	}
	if err := k.options(); err != nil {
		k.conn.Close()
		return nil, fmt.Errorf("set the options of an ICMP socket: %w", err)
	}
	return k, nil
}

// options asks the kernel for each reply's TTL, and filters out messages that
// are not about pings.
func (k *Kernel) options() error {
	if !k.is6 {
		return k.conn.IPv4PacketConn().SetControlMessage(ipv4.FlagTTL, true)
	}
	conn := k.conn.IPv6PacketConn()
	if err := conn.SetControlMessage(ipv6.FlagHopLimit, true); err != nil || !k.raw {
		return err
	}
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	for _, wanted := range []ipv6.ICMPType{
		ipv6.ICMPTypeEchoReply, ipv6.ICMPTypeDestinationUnreachable, ipv6.ICMPTypePacketTooBig,
		ipv6.ICMPTypeTimeExceeded, ipv6.ICMPTypeParameterProblem,
	} {
		filter.Accept(wanted)
	}
	return conn.SetICMPFilter(&filter)
}

// Send implements Socket.
func (k *Kernel) Send(seq uint16, payload []byte) error {
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(k.id), Seq: int(seq), Data: payload}}
	if k.is6 {
		m.Type = ipv6.ICMPTypeEchoRequest // the kernel fills in the checksum
	}
	b, err := m.Marshal(nil)
	if err != nil {
		return err
	}
	k.sent[seq].Store(int64(time.Since(k.start)))
	_, err = k.conn.WriteTo(b, k.to)
	return err
}

// Receive implements Socket.
func (k *Kernel) Receive() (Message, error) {
	for {
		n, ttl, from, err := k.read()
		now := time.Since(k.start)
		if err != nil {
			return Message{}, err
		}
		m, id, ok := parse(k.buffer[:n], k.is6)
		if !ok || k.raw && id != k.id {
			continue // another process's
		}
		m.From, m.TTL = address(from), ttl
		if sent := k.sent[m.Seq].Load(); sent > 0 {
			m.RTT = now - time.Duration(sent)
		}
		return m, nil
	}
}

// read reads one ICMP message into the buffer.
func (k *Kernel) read() (n, ttl int, from net.Addr, err error) {
	if k.is6 {
		n, cm, from, err := k.conn.IPv6PacketConn().ReadFrom(k.buffer[:])
		if cm != nil {
			ttl = cm.HopLimit
		}
		return n, ttl, from, err
	}
	n, cm, from, err := k.conn.IPv4PacketConn().ReadFrom(k.buffer[:])
	if cm != nil {
		ttl = cm.TTL
	}
	return n, ttl, from, err
}

func address(a net.Addr) netip.Addr {
	var ip net.IP
	switch a := a.(type) {
	case *net.IPAddr:
		ip = a.IP
	case *net.UDPAddr:
		ip = a.IP
	}
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

// Close implements Socket.
func (k *Kernel) Close() error { return k.conn.Close() }
