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

// configure applies cfg to the device called name in this process's network namespace
// and brings it up.
func configure(name string, cfg Config) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look up the device %s: %w", name, err)
	}
	if err := netlink.LinkSetMTU(link, cfg.MTU); err != nil {
		return fmt.Errorf("set the MTU of %s to %d: %w", name, cfg.MTU, err)
	}

	// Do this before the link is up: with an automatic address, the kernel would
	// send router solicitations to the agent at once. A kernel without IPv6
	// refuses, but then it sends none.
	addrgen := netlink.LinkSetIP6AddrGenMode(link, nl.IN6_ADDR_GEN_MODE_NONE)
	if cfg.Addr6.IsValid() && addrgen != nil {
		return fmt.Errorf("turn off automatic IPv6 addresses of %s: %w; if this kernel has no IPv6, leave out --addr6", name, addrgen)
	}
	if err := setIPv6(name, cfg.Addr6.IsValid()); err != nil {
		return err
	}

	trustNoRouter(name)

	for _, p := range []netip.Prefix{cfg.Addr, cfg.Addr6} {
		if !p.IsValid() {
			continue
		}
		addr := &netlink.Addr{IPNet: &net.IPNet{
			IP:   p.Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}}
		if p.Addr().Is6() {
			// Nobody else is on the link, and duplicate address detection would
			// keep the address unusable for a second.
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, p, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring the link %s up: %w", name, err)
	}
	return waitLocal(cfg.Addr6)
}

// localPatience is how long to wait for the kernel to use an address.
const localPatience = 2 * time.Second

// waitLocal waits until the kernel accepts packets to its own IPv6 address p. Even
// without duplicate address detection, a kernel worker enables the address a moment
// after the link is up. Earlier packets would be dropped.
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
			return fmt.Errorf("use the address %s: the kernel has not enabled it within %v (%v); leave out --addr6", p, localPatience, err)
		}
	}
}

// setIPv6 turns IPv6 on or off for one device. Failing to turn it off is not an error,
// since sysctls may be read-only in a container, and without an address IPv6 does not
// work anyway.
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
		return fmt.Errorf("turn on IPv6 for %s: %w; leave out --addr6, or allow it with `sysctl net.ipv6.conf.default.disable_ipv6=0`", name, err)
	}
	return nil
}

// trustNoRouter makes the kernel ignore routes from the agent: router advertisements
// (IPv6), redirects and source routes. A failure is not an error, since sysctls may be
// read-only in a container. In a private namespace a route leads nowhere anyway, and
// on the host's network the session refuses such packets.
func trustNoRouter(name string) {
	for _, setting := range []string{"ipv6/conf/" + name + "/accept_ra", "ipv6/conf/" + name + "/accept_redirects",
		"ipv4/conf/" + name + "/accept_redirects", "ipv4/conf/" + name + "/accept_source_route"} {
		os.WriteFile("/proc/sys/net/"+setting, []byte("0"), 0)
	}
}
