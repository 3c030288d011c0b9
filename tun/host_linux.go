package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// openHost opens a link whose peer is this machine's own network stack: it
// attaches to the TUN device cfg.Name if there is one, else creates it.
func openHost(cfg Config) (*Link, error) {
	if err := checkTUN(); err != nil {
		return nil, err
	}
	there, err := netlink.LinkByName(cfg.Name)
	if _, absent := errors.AsType[netlink.LinkNotFoundError](err); absent {
		return createHost(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("look up the device %s: %w", cfg.Name, err)
	}
	return attachHost(cfg, there)
}

// createHost makes a device that vanishes when it is closed.
func createHost(cfg Config) (*Link, error) {
	fd, err := createTUN(cfg.Name, false)
	if errors.Is(err, unix.EPERM) {
		return nil, &refusal{
			What:  "create the device " + cfg.Name + " in the host network",
			Cause: "this process lacks CAP_NET_ADMIN",
			Todo:  "make the device once and start again: " + makeCommands(cfg),
			Errno: unix.EPERM,
		}
	}
	if err != nil {
		return nil, fmt.Errorf("create the device %s in the host network: %w; use another name, or --network private", cfg.Name, err)
	}
	if err := configure(cfg.Name, cfg); err != nil {
		unix.Close(fd)
		return nil, err
	}
	d, err := newHostDevice(fd, cfg.Name)
	if err != nil {
		return nil, err
	}
	return &Link{Device: d, Network: NetworkHost, Name: cfg.Name, Addr: cfg.Addr, Addr6: cfg.Addr6, MTU: cfg.MTU}, nil
}

// attachHost opens a device that was made beforehand. It changes nothing: how
// the device is set up, and that it stays, is its owner's business.
func attachHost(cfg Config, there netlink.Link) (*Link, error) {
	device, ok := there.(*netlink.Tuntap)
	if !ok || device.Mode != netlink.TUNTAP_MODE_TUN {
		kind := there.Type()
		if ok {
			kind = "tap"
		}
		return nil, fmt.Errorf("attach to the device %s: it is of type %s, not tun; use another name", cfg.Name, kind)
	}
	fd, err := createTUN(cfg.Name, true)
	switch {
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("attach to the device %s: another program has it open (%w); end that, or use another name", cfg.Name, err)
	case errors.Is(err, unix.EPERM):
		return nil, &refusal{
			What:  "attach to the device " + cfg.Name,
			Cause: "it is not this user's, and this process lacks CAP_NET_ADMIN",
			Todo:  "make it anew for this user: sudo ip tuntap del dev " + cfg.Name + " mode tun; " + makeCommands(cfg),
			Errno: unix.EPERM,
		}
	case errors.Is(err, unix.EINVAL) && device.Flags&netlink.TUNTAP_MULTI_QUEUE != 0:
		return nil, fmt.Errorf("attach to the device %s: it has several queues (%w); make it without multi_queue", cfg.Name, err)
	case err != nil:
		return nil, fmt.Errorf("attach to the device %s: %w; use another name", cfg.Name, err)
	}
	d, err := newHostDevice(fd, cfg.Name)
	if err != nil {
		return nil, err
	}
	link := &Link{Device: d, Network: NetworkHost, Name: cfg.Name, MTU: device.Attrs().MTU}
	if link.Addr, err = readAddr(there, netlink.FAMILY_V4, cfg.Addr); err == nil {
		link.Addr6, err = readAddr(there, netlink.FAMILY_V6, cfg.Addr6)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("read the addresses of %s: %w", cfg.Name, err)
	}
	// IFF_UP, not the operational state: nothing is attached until now.
	up := device.Attrs().RawFlags&unix.IFF_UP != 0
	link.Why = strings.Join(append([]string{"the device " + cfg.Name + " was there and stays"}, amiss(cfg, link, up)...), "; ")
	return link, nil
}

func newHostDevice(fd int, name string) (hostDevice, error) {
	d, err := newDescriptor(fd, name, "sudo ip link set "+name+" up")
	return hostDevice{d}, err
}

// readAddr returns the device's address of one family: wanted if it is there,
// else the first that reaches beyond the link, else the zero Prefix.
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
			continue // the kernel gives itself that one
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

// amiss says what an attached device lacks, or has otherwise than cfg says.
func amiss(cfg Config, link *Link, up bool) []string {
	var words []string
	if !up {
		words = append(words, fmt.Sprintf("it is down: set it up with `sudo ip link set %s up`", link.Name))
	}
	switch {
	case !link.Addr.IsValid():
		words = append(words, fmt.Sprintf("it has no IPv4 address: give it one with `sudo ip addr add %s dev %s` and start again", cfg.Addr, link.Name))
	case link.Addr != cfg.Addr:
		words = append(words, fmt.Sprintf("its address is %s, not %s", link.Addr, cfg.Addr))
	}
	if link.Addr.IsValid() && !link.Agent().IsValid() {
		words = append(words, fmt.Sprintf("its prefix %s has no room for the agent: use a shorter one", link.Addr))
	}
	switch {
	case link.Addr6 == cfg.Addr6:
	case !link.Addr6.IsValid():
		words = append(words, fmt.Sprintf("it has no IPv6 address: give it one with `sudo ip addr add %s dev %s nodad` and start again", cfg.Addr6, link.Name))
	case !cfg.Addr6.IsValid():
		words = append(words, fmt.Sprintf("it has IPv6 on, with %s", link.Addr6))
	default:
		words = append(words, fmt.Sprintf("its IPv6 address is %s, not %s", link.Addr6, cfg.Addr6))
	}
	if link.MTU != cfg.MTU {
		words = append(words, fmt.Sprintf("its MTU is %d, not %d", link.MTU, cfg.MTU))
	}
	return words
}

// makeCommands returns the commands that make for this user, as root, the
// device that cfg describes.
func makeCommands(cfg Config) string {
	owner := fmt.Sprint(os.Geteuid())
	if u, err := user.LookupId(owner); err == nil {
		owner = u.Username
	}
	commands := []string{
		"sudo ip tuntap add dev " + cfg.Name + " mode tun user " + owner,
		"sudo ip addr add " + cfg.Addr.String() + " dev " + cfg.Name,
	}
	if cfg.Addr6.IsValid() {
		commands = append(commands, "sudo ip addr add "+cfg.Addr6.String()+" dev "+cfg.Name+" nodad")
	}
	return strings.Join(append(commands,
		"sudo ip link set "+cfg.Name+" addrgenmode none", // before it is up: no router solicitations
		fmt.Sprintf("sudo ip link set %s mtu %d up", cfg.Name, cfg.MTU),
	), "; ")
}
