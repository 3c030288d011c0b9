package tun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// configure gives the device called name in this process's network namespace
// what cfg says and sets it up.
func configure(name string, cfg Config) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look up the device %s: %w", name, err)
	}
	if err := netlink.LinkSetMTU(link, cfg.MTU); err != nil {
		return fmt.Errorf("set the MTU of %s to %d: %w", name, cfg.MTU, err)
	}

	// Before the link is up: with an address of its own making the kernel
	// would send the agent router solicitations at once. A kernel without
	// IPv6 refuses, and has none to send.
	addrgen := netlink.LinkSetIP6AddrGenMode(link, nl.IN6_ADDR_GEN_MODE_NONE)
	if cfg.Addr6.IsValid() && addrgen != nil {
		return fmt.Errorf("turn automatic IPv6 addresses of %s off: %w; leave IPv6 off if this kernel has none", name, addrgen)
	}
	if err := setIPv6(name, cfg.Addr6.IsValid()); err != nil {
		return err
	}

	for _, p := range []netip.Prefix{cfg.Addr, cfg.Addr6} {
		if !p.IsValid() {
			continue
		}
		addr := &netlink.Addr{IPNet: &net.IPNet{
			IP:   p.Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}}
		if p.Addr().Is6() {
			// Nobody else is on the link, and an address that waits for
			// duplicates is of no use for a second.
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, p, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set the link %s up: %w", name, err)
	}
	return waitLocal(cfg.Addr6)
}

// localPatience bounds how long the kernel may take to use an address.
const localPatience = 2 * time.Second

// waitLocal waits until the kernel takes packets to an IPv6 address for its
// own: also without duplicate detection a worker of the kernel does that, a
// moment after the link is up. What comes before is dropped.
func waitLocal(p netip.Prefix) error {
	if !p.IsValid() {
		return nil
	}
	for deadline := time.Now().Add(localPatience); ; time.Sleep(time.Millisecond) {
		routes, err := netlink.RouteGet(p.Addr().AsSlice())
		if err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("use the address %s: the kernel does not after %v (%v); leave IPv6 off", p, localPatience, err)
		}
	}
}

// setIPv6 turns IPv6 on or off for one device. Off is a second lock on what
// the missing address does already, so failing to is no error: a container may
// have its sysctls read-only.
func setIPv6(name string, on bool) error {
	path := "/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6"
	if !on {
		os.WriteFile(path, []byte("1"), 0)
		return nil
	}
	if now, err := os.ReadFile(path); err == nil && string(now) == "0\n" {
		return nil
	}
	if err := os.WriteFile(path, []byte("0"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("turn IPv6 on for %s: %w; leave IPv6 off, or allow it with `sysctl net.ipv6.conf.default.disable_ipv6=0`", name, err)
	}
	return nil
}
