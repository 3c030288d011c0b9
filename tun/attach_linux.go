package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// attachHost opens a device that already exists. It changes nothing: the owner
// configures the device and decides how long it stays. If the device differs from
// asked, it is refused. Zero fields of asked match any device.
func attachHost(asked Config, name string, there netlink.Link) (*Link, error) {
	device, ok := there.(*netlink.Tuntap)
	if !ok || device.Mode != netlink.TUNTAP_MODE_TUN {
		kind := there.Type()
		if ok {
			kind = "tap"
		}
		return nil, fmt.Errorf("attach to the device %s: it is of type %s, not tun; use another name", name, kind)
	}
	fd, err := createTUN(name, true)
	switch {
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("attach to the device %s: another program has it open (%w); end that, or use another name", name, err)
	case errors.Is(err, unix.EPERM):
		return nil, &refusal{
			What:  "attach to the device " + name,
			Cause: "it is not this user's, and this process lacks CAP_NET_ADMIN",
			Todo:  "recreate it for this user: sudo ip tuntap del dev " + name + " mode tun; " + makeCommands(asked.withDefaults()),
			Errno: unix.EPERM,
		}
	case errors.Is(err, unix.EINVAL) && device.Flags&netlink.TUNTAP_MULTI_QUEUE != 0:
		return nil, fmt.Errorf("attach to the device %s: it has several queues (%w); create it without multi_queue", name, err)
	case err != nil:
		return nil, fmt.Errorf("attach to the device %s: %w; use another name", name, err)
	}
	d, err := newHostDevice(fd, name)
	if err != nil {
		return nil, err
	}
	link, wanted := &Link{Device: d, Network: NetworkHost, Name: name, MTU: device.Attrs().MTU}, asked.withDefaults()
	if link.Addr, err = readAddr(there, netlink.FAMILY_V4, wanted.Addr); err == nil {
		link.Addr6, err = readAddr(there, netlink.FAMILY_V6, wanted.Addr6)
	}
	if err != nil {
		err = fmt.Errorf("read the addresses of %s: %w", name, err)
	} else {
		err = otherwise(asked, link)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	link.Why = "the device " + name + " already existed and stays"
	// IFF_UP, not the operational state: nothing is attached until now.
	if device.Attrs().RawFlags&unix.IFF_UP == 0 {
		link.Why += "; it is down: bring it up with `sudo ip link set " + name + " up`"
	}
	if link.Addr6.IsValid() && !asked.Addr6.IsValid() {
		link.Why += fmt.Sprintf("; it has the IPv6 address %s", link.Addr6)
	}
	return link, nil
}

// readAddr returns the device's address of one family: wanted if the device has it,
// otherwise the first one that is not link-local, otherwise the zero Prefix.
func readAddr(link netlink.Link, family int, wanted netip.Prefix) (netip.Prefix, error) {
	addrs, err := netlink.AddrList(link, family)
	if errors.Is(err, syscall.EAFNOSUPPORT) {
		return netip.Prefix{}, nil // a kernel without IPv6
	}
	if err != nil {
		return netip.Prefix{}, err
	}
	var first netip.Prefix
	for _, a := range addrs {
		ip, ok := netip.AddrFromSlice(a.IP)
		if !ok || ip.Is6() && ip.IsLinkLocalUnicast() {
			continue // the kernel adds this one by itself
		}
		bits, _ := a.Mask.Size()
		p := netip.PrefixFrom(ip.Unmap(), bits)
		if p == wanted {
			return p, nil
		}
		if !first.IsValid() {
			first = p
		}
	}
	return first, nil
}

// otherwise returns an error if an attached device is not the requested link: if it
// lacks an address or is configured differently. It returns nil if all fits.
func otherwise(asked Config, link *Link) error {
	var causes, todos []string
	not := func(cause, todo string) { causes, todos = append(causes, cause), append(todos, todo) }
	switch {
	case !link.Addr.IsValid():
		not("it has no IPv4 address", fmt.Sprintf("give it one with `sudo ip addr add %s dev %s`", asked.withDefaults().Addr, link.Name))
	case !link.Agent().IsValid():
		not(fmt.Sprintf("its prefix %s has no room for the agent", link.Addr), "give it a shorter prefix")
	case asked.Addr.IsValid() && link.Addr != asked.Addr:
		not(fmt.Sprintf("its address is %s, not %s", link.Addr, asked.Addr), fmt.Sprintf("leave out --addr, or `sudo ip addr add %s dev %s`", asked.Addr, link.Name))
	}
	if asked.Addr6.IsValid() && link.Addr6 != asked.Addr6 {
		has := "it has no IPv6 address"
		if link.Addr6.IsValid() {
			has = fmt.Sprintf("its IPv6 address is %s, not %s", link.Addr6, asked.Addr6)
		}
		not(has, fmt.Sprintf("leave out --addr6, or `sudo ip addr add %s dev %s nodad`", asked.Addr6, link.Name))
	}
	if asked.MTU != 0 && link.MTU != asked.MTU {
		not(fmt.Sprintf("its MTU is %d, not %d", link.MTU, asked.MTU), fmt.Sprintf("leave out --mtu, or `sudo ip link set %s mtu %d`", link.Name, asked.MTU))
	}
	if causes == nil {
		return nil
	}
	return &refusal{What: "attach to the device " + link.Name, Cause: strings.Join(causes, "; "), Todo: strings.Join(todos, "; ")}
}
