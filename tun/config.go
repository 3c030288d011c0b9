package tun

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// Values of Config.Network: where the peer lives.
const (
	NetworkAuto    = "auto"    // private if this machine allows it, else memory
	NetworkPrivate = "private" // the kernel, in its own network namespace
	NetworkHost    = "host"    // the kernel, in the network of the real machine
	NetworkMemory  = "memory"  // gVisor's netstack inside this process
)

// Bounds of Config.MTU, in bytes.
const (
	MinMTU  = 68    // RFC 791: every link carries a datagram of 68 bytes
	MinMTU6 = 1280  // RFC 8200 section 5: every link with IPv6 carries 1,280
	MaxMTU  = 65535 // the longest IPv4 packet, and the most a TUN device takes
)

// maxName is the longest name of a Linux network device in bytes: IFNAMSIZ without the
// final zero. Package water would silently cut a longer name.
const maxName = 15

// Config describes the link to open. The zero Config is valid: a link at
// 10.77.0.1/24 without IPv6, in the best network that this machine allows.
type Config struct {
	// Network is where the peer lives: "auto", "private", "host" or "memory".
	// Zero means "auto", which never takes "host".
	Network string

	// Name is the device's name, 1 to 15 bytes without white space, slash,
	// colon or percent sign. Zero means "tunmcp0" in the host network and
	// "tun0" elsewhere.
	Name string

	// Addr is the peer's IPv4 address with its prefix, which must have room for
	// the agent: at most /31. Zero means 10.77.0.1/24, or in the host network the
	// address of a device that already exists.
	Addr netip.Prefix

	// Addr6 is the peer's IPv6 address with its prefix, at most /127, not
	// link-local. Zero means that IPv6 is off, or in the host network the address
	// of a device that already exists.
	Addr6 netip.Prefix

	// MTU is the longest packet that the link carries, in bytes: 68 to 65,535,
	// with IPv6 at least 1,280. Zero means 1500, or in the host network the MTU of
	// a device that already exists.
	MTU int

	// Cleanup is the path of a Unix socket that the holder of a private network
	// removes if the server ends without removing it. Zero means none.
	Cleanup string
}

// Validate returns an error that names the flag of an invalid field, or nil. It
// checks c only, not what this machine allows.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch c.Network {
	case NetworkAuto, NetworkPrivate, NetworkHost, NetworkMemory:
	default:
		return fmt.Errorf("--network %q: unknown; use auto, private, host or memory", c.Network)
	}
	if err := validateName(c.Name); err != nil {
		return err
	}
	if !c.Addr.Addr().Is4() {
		return fmt.Errorf("--addr %s: not IPv4; use an address with its prefix, like %s", c.Addr, likeAddr)
	}
	if err := validatePeer(c.Addr, likeAddr); err != nil {
		return fmt.Errorf("--addr %s: %w", c.Addr, err)
	}
	least, why := MinMTU, "RFC 791"
	if c.Addr6 != (netip.Prefix{}) {
		if a := c.Addr6.Addr(); !a.Is6() || a.Is4In6() {
			return fmt.Errorf("--addr6 %s: not IPv6; use an address with its prefix, like %s", c.Addr6, likeAddr6)
		}
		if c.Addr6.Addr().IsLinkLocalUnicast() {
			// Hosts trust router messages from link-local addresses.
			return fmt.Errorf("--addr6 %s: link-local; use a global or unique local address, like %s", c.Addr6, likeAddr6)
		}
		if err := validatePeer(c.Addr6, likeAddr6); err != nil {
			return fmt.Errorf("--addr6 %s: %w", c.Addr6, err)
		}
		least, why = MinMTU6, "RFC 8200, for IPv6"
	}
	if c.MTU < least || c.MTU > MaxMTU {
		return fmt.Errorf("--mtu %d: out of range; use %d (%s) to %d bytes", c.MTU, least, why, MaxMTU)
	}
	return nil
}

// withDefaults returns c with its zero fields replaced by the defaults.
func (c Config) withDefaults() Config {
	if c.Network == "" {
		c.Network = NetworkAuto
	}
	if c.Name == "" {
		c.Name = "tun0"
		if c.Network == NetworkHost {
			c.Name = "tunmcp0" // a VPN on this machine would use tun0
		}
	}
	if c.Addr == (netip.Prefix{}) {
		c.Addr = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, 0, 1}), 24)
	}
	if c.MTU == 0 {
		c.MTU = 1500
	}
	return c
}

// validateName refuses names that the kernel would refuse or misread: with a percent
// sign, a name is a template.
func validateName(name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("--name %q: %d bytes long; use at most %d", name, len(name), maxName)
	case strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("/:%", r)
	}):
		return fmt.Errorf("--name %q: contains white space or one of / : %%; use letters, digits and dashes", name)
	case name == "." || name == ".." || name == "lo" || name == "all" || name == "default":
		return fmt.Errorf("--name %q: reserved by the system; use another name, like tun0", name)
	}
	return nil
}

// Examples of the peer's address, for errors.
const (
	likeAddr  = "10.77.0.1/24"
	likeAddr6 = "2001:db8:77::1/64"
)

// validatePeer refuses an address that no host can have, and a prefix without room for
// a second host. like is an example for the error.
func validatePeer(p netip.Prefix, like string) error {
	a := p.Addr()
	switch {
	case !p.IsValid():
		return fmt.Errorf("not an address with a prefix; use one like %s", like)
	case a.IsUnspecified(), a.IsLoopback(), a.IsMulticast():
		return fmt.Errorf("not an address that a host can have; use one like %s", like)
	case p.Bits() == a.BitLen():
		return fmt.Errorf("no room for the agent in this prefix; use /%d or shorter", a.BitLen()-1)
	}
	// RFC 3021 and RFC 6164: in a prefix of two addresses, both belong to hosts.
	if p.Bits() == a.BitLen()-1 {
		return nil
	}
	if a == p.Masked().Addr() {
		return fmt.Errorf("the address of the network itself; use the address of a host, like %s", netip.PrefixFrom(a.Next(), p.Bits()))
	}
	if a.Is4() && !p.Contains(a.Next()) {
		return fmt.Errorf("the network's broadcast address; use the address of a host, like %s", netip.PrefixFrom(a.Prev(), p.Bits()))
	}
	return nil
}

// agentIn returns the agent's address: the one after the peer's, or the one before it
// if the peer's is the last that a host can have. It returns the zero Addr if there is
// none.
func agentIn(peer netip.Prefix) netip.Addr {
	if !peer.IsValid() || peer.IsSingleIP() {
		return netip.Addr{}
	}
	next := peer.Addr().Next()
	// A prefix of two addresses has no broadcast address (RFC 3021), and IPv6 never
	// has one.
	broadcast := peer.Addr().Is4() && peer.Bits() < 31 && !peer.Contains(next.Next())
	if !peer.Contains(next) || broadcast || next.IsLoopback() || next.IsMulticast() {
		return peer.Addr().Prev()
	}
	return next
}
