package tun

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// openHost opens a link whose peer is this machine's own network stack. It attaches to
// the TUN device called asked.Name if it exists, and creates it otherwise.
func openHost(asked Config) (*Link, error) {
	cfg := asked.withDefaults()
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
	return attachHost(asked, cfg.Name, there)
}

// createHost creates a device that vanishes when it is closed.
func createHost(cfg Config) (*Link, error) {
	fd, err := createTUN(cfg.Name, false)
	if errors.Is(err, unix.EPERM) {
		return nil, &refusal{
			What:  "create the device " + cfg.Name + " in the host network",
			Cause: "this process lacks CAP_NET_ADMIN",
			Todo:  "create the device once and start again: " + makeCommands(cfg),
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

func newHostDevice(fd int, name string) (hostDevice, error) {
	d, err := newDescriptor(fd, name, "sudo ip link set "+name+" up")
	return hostDevice{d}, err
}

// makeCommands returns the commands with which root creates the device of cfg for this
// user.
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
		conf := "net/ipv6/conf/" + cfg.Name
		commands = append(commands, "sudo sysctl -q "+conf+"/accept_ra=0 "+conf+"/accept_redirects=0", // the agent must not set routes
			"sudo ip addr add "+cfg.Addr6.String()+" dev "+cfg.Name+" nodad")
	}
	return strings.Join(append(commands,
		"sudo ip link set "+cfg.Name+" addrgenmode none", // before it is up, to avoid router solicitations
		fmt.Sprintf("sudo ip link set %s mtu %d up", cfg.Name, cfg.MTU),
	), "; ")
}
