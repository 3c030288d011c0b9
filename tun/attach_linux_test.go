package tun_test

import (
	"net"
	"net/netip"
	"os/exec"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestHostAttaches(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	tuntest.Run(t, "ip tuntap add dev pre0 mode tun")
	tuntest.Run(t, "ip addr add 198.51.100.1/24 dev pre0")
	tuntest.Run(t, "ip link set pre0 mtu 1300 up")
	for range 2 { // the device survives the first Close
		link := openHost(t, tun.Config{Name: "pre0"})
		if want := "host was requested; the device pre0 already existed and stays"; link.Why != want {
			t.Errorf("why is %q, want %q", link.Why, want)
		}
		if link.Addr != netip.MustParsePrefix("198.51.100.1/24") || link.Addr6.IsValid() || link.MTU != 1300 || link.Name != "pre0" {
			t.Errorf("the link is %+v", link)
		}
		if err := link.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := net.InterfaceByName("pre0"); err != nil {
			t.Fatalf("Close deleted a device that had existed before: %v", err)
		}
	}
	link := openHost(t, tun.Config{Name: "pre0"})
	pending := blockedRead(link)
	tuntest.Run(t, "ip link del pre0")
	// A router solicitation may come first, since the device's owner has left IPv6
	// on.
	for err := wait(t, pending); ; err = wait(t, blockedRead(link)) {
		if err != nil {
			closed(t, err, "read from pre0: the device was deleted")
			break
		}
	}
}

// A device that differs from the request is refused, with the next step.
func TestHostRefusesADeviceSetUpOtherwise(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	refuses := func(cfg tun.Config, want ...string) {
		t.Helper()
		cfg.Network, cfg.Name = "host", "pre0"
		link, err := tun.Open(cfg)
		if err == nil {
			link.Close()
			t.Errorf("%+v: the link was opened", cfg)
			return
		}
		for _, want := range want {
			contains(t, err.Error(), want)
		}
	}
	tuntest.Run(t, "ip tuntap add dev pre0 mode tun")
	refuses(tun.Config{}, "it has no IPv4 address", "`sudo ip addr add 10.77.0.1/24 dev pre0`")
	tuntest.Run(t, "ip addr add 198.51.100.1/32 dev pre0")
	refuses(tun.Config{}, "its prefix 198.51.100.1/32 has no room for the agent")
	tuntest.Run(t, "ip addr del 198.51.100.1/32 dev pre0")
	tuntest.Run(t, "ip addr add 198.51.100.1/24 dev pre0")
	refuses(tun.Config{Addr: netip.MustParsePrefix("10.77.0.1/24")}, "its address is 198.51.100.1/24, not 10.77.0.1/24", "leave out --addr, or `sudo ip addr add 10.77.0.1/24 dev pre0`")
	refuses(tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")}, "it has no IPv6 address", "`sudo ip addr add 2001:db8:77::1/64 dev pre0 nodad`")
	refuses(tun.Config{MTU: 1300}, "its MTU is 1500, not 1300", "leave out --mtu, or `sudo ip link set pre0 mtu 1300`")
	tuntest.Run(t, "ip addr add 2001:db8:88::1/64 dev pre0 nodad")
	refuses(tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64"), MTU: 1300}, "its IPv6 address is 2001:db8:88::1/64, not 2001:db8:77::1/64", "its MTU is 1500, not 1300")
	// A refused device is not kept open, and a matching one is opened.
	link := openHost(t, tun.Config{Name: "pre0", Addr: netip.MustParsePrefix("198.51.100.1/24"), MTU: 1500})
	contains(t, link.Why, "it is down: bring it up with `sudo ip link set pre0 up`")
	contains(t, link.Why, "it has the IPv6 address 2001:db8:88::1/64")
	_, err := link.Write([]byte{0x45, 19: 0})
	if err == nil {
		t.Fatal("Write on a link that is down succeeded")
	}
	contains(t, err.Error(), "sudo ip link set pre0 up")
}

func TestHostRefusesOtherDevices(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	tuntest.Run(t, "ip tuntap add dev tap0 mode tap")
	tuntest.Run(t, "ip tuntap add dev many0 mode tun multi_queue")
	devices := map[string]string{"tap0": "type tap, not tun", "many0": "several queues"}
	if exec.Command("ip", "link", "add", "dummy0", "type", "dummy").Run() == nil { // not every kernel has dummy devices
		devices["dummy0"] = "type dummy, not tun"
	}
	for name, want := range devices {
		link, err := tun.Open(tun.Config{Network: "host", Name: name})
		if err == nil {
			link.Close()
			t.Errorf("attached to %s", name)
			continue
		}
		contains(t, err.Error(), want)
		if _, err := net.InterfaceByName(name); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
}
