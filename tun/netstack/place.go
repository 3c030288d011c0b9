package netstack

import (
	"net"
	"net/netip"
	"strconv"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
)

// A place is where a socket connects to or listens on.
type place struct {
	udp    bool
	family tcpip.NetworkProtocolNumber
	only6  bool              // whether an IPv6 socket refuses IPv4
	addr   tcpip.FullAddress // without an address it means any
}

// resolve parses a network and an address in the form of package net.
func (s *Stack) resolve(network, address string) (place, error) {
	var p place
	if s.done.Err() != nil {
		return p, net.ErrClosed
	}
	version := ""
	switch network {
	case "tcp", "udp":
	case "tcp4", "tcp6", "udp4", "udp6":
		version = network[3:]
	default:
		return p, net.UnknownNetworkError(network)
	}
	p.udp = network[:3] == "udp"

	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return p, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return p, &net.AddrError{Err: "the port must be a number from 0 to 65535", Addr: address}
	}
	p.addr.Port = uint16(port)

	var addr netip.Addr
	switch {
	case host != "":
		if addr, err = netip.ParseAddr(host); err != nil {
			return p, &net.AddrError{Err: "the host must be an IP address, since names are not resolved", Addr: address}
		}
		addr = addr.Unmap().WithZone("")
	case version == "4" || !s.addr6.IsValid():
		addr = netip.IPv4Unspecified()
	default:
		addr = netip.IPv6Unspecified()
	}
	switch {
	case addr.Is4() && version == "6", addr.Is6() && version == "4":
		return p, &net.AddrError{Err: "not an address of network " + network, Addr: address}
	case (addr.Is6() || version == "6") && !s.addr6.IsValid():
		return p, &net.AddrError{Err: "IPv6 is off on this stack", Addr: address}
	}
	p.family = ipv4.ProtocolNumber
	if addr.Is6() {
		p.family = ipv6.ProtocolNumber
		p.only6 = version == "6"
	}
	if !addr.IsUnspecified() {
		p.addr.Addr = tcpip.AddrFromSlice(addr.AsSlice())
	}
	return p, nil
}
