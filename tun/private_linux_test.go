package tun_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// contains checks that text holds part.
func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("got %q, want %q in it", text, part)
	}
}

// output runs a program on the peer and returns its output.
func output(t *testing.T, link *tun.Link, args ...string) string {
	t.Helper()
	cmd := tuntest.Exec(t, link, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestPrivateIsPinged(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	if link.Network != "private" || link.Name != "tun0" || link.MTU != 1500 || link.Holder <= 0 ||
		link.Addr != netip.MustParsePrefix("10.77.0.1/24") || link.Addr6.IsValid() || link.Agent6().IsValid() {
		t.Errorf("the link is %+v", link)
	}
	contains(t, link.Why, "private was requested")
	for range 3 { // no other packets come in between
		ping(t, link, tuntest.Exec(t, link, "ping", "-n", "-c", "1", "-W", "5", link.Agent().String()))
	}
}

func TestPrivateIsQuiet(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	// Without an address on the link, the kernel has no source for solicitations
	// or reports.
	if got := output(t, link, "cat", "/proc/net/if_inet6"); strings.Contains(got, link.Name) {
		t.Errorf("IPv6 addresses:\n%swant none on %s", got, link.Name)
	}
}

func TestPrivateIPv6(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")})
	if link.Agent6() != netip.MustParseAddr("2001:db8:77::2") {
		t.Errorf("the agent is %s", link.Agent6())
	}
	got := output(t, link, "cat", "/proc/net/if_inet6")
	if n := strings.Count(got, link.Name); n != 1 {
		t.Errorf("IPv6 addresses:\n%swant one on %s, and no automatic one", got, link.Name)
	}
	ping(t, link, tuntest.Exec(t, link, "ping", "-6", "-n", "-c", "1", "-W", "5", link.Agent6().String()))
	ping(t, link, tuntest.Exec(t, link, "ping", "-n", "-c", "1", "-W", "5", link.Agent().String()))
}

func TestPrivateAsConfigured(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{Name: "wire-0.abcdefgh", Addr: netip.MustParsePrefix("192.0.2.254/24"), MTU: 9000})
	if link.Name != "wire-0.abcdefgh" || link.MTU != 9000 {
		t.Errorf("the link is %+v", link)
	}
	got := output(t, link, "ip", "-o", "addr", "show", "dev", link.Name)
	contains(t, got, "inet 192.0.2.254/24")
	contains(t, output(t, link, "ip", "-o", "link"), "mtu 9000")
	contains(t, output(t, link, "ip", "-o", "link", "show", "up"), ": lo:")
	ping(t, link, tuntest.Exec(t, link, "ping", "-n", "-c", "1", "-W", "5", "192.0.2.253"))
}

func TestPrivateMTUBounds(t *testing.T) {
	for _, cfg := range []tun.Config{
		{MTU: tun.MinMTU},
		{MTU: tun.MinMTU6, Addr6: netip.MustParsePrefix("2001:db8:77::1/64")},
		{MTU: tun.MaxMTU},
	} {
		link := tuntest.OpenPrivate(t, cfg)
		contains(t, output(t, link, "ip", "-o", "link"), fmt.Sprintf("mtu %d ", cfg.MTU))
	}
}

// Reading and writing a packet allocates no memory.
func TestPrivateDoesNotAllocate(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	packet := []byte{0x45, 19: 0}
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := link.Write(packet); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Errorf("a Write allocates %v times", allocations)
	}
}

func TestPrivateLinksAreApart(t *testing.T) {
	one, two := tuntest.OpenPrivate(t, tun.Config{}), tuntest.OpenPrivate(t, tun.Config{})
	for _, link := range []*tun.Link{one, two} {
		ping(t, link, tuntest.Exec(t, link, "ping", "-n", "-c", "1", "-W", "5", "10.77.0.2"))
	}
	one.Close()
	ping(t, two, tuntest.Exec(t, two, "ping", "-n", "-c", "1", "-W", "5", "10.77.0.2"))
}

// The server's own network stays what it was.
func TestPrivateLeavesTheServerAlone(t *testing.T) {
	before, _ := net.Interfaces()
	tuntest.OpenPrivate(t, tun.Config{Name: "elsewhere0"})
	after, _ := net.Interfaces()
	if len(before) != len(after) {
		t.Errorf("interfaces are %v, were %v before", after, before)
	}
	if _, err := net.InterfaceByName("elsewhere0"); err == nil {
		t.Error("the device is in the server's network")
	}
}

func TestPrivateClose(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	pending := blockedRead(link)
	if err := link.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	closed(t, wait(t, pending), "read from tun0: the link is closed")
	_, err := link.Read(make([]byte, 65535))
	closed(t, err, "read from tun0: the link is closed")
	_, err = link.Write(make([]byte, 20))
	closed(t, err, "write to tun0: the link is closed")
	if err := link.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	reaped(t, link.Holder)
}

func TestPrivateHolderKilled(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	pending := blockedRead(link)
	tuntest.Signal(t, link.Holder, unix.SIGKILL)
	why := fmt.Sprintf("the holder of the private network (process %d) ended", link.Holder)
	closed(t, wait(t, pending), "read from tun0: "+why)
	_, err := link.Write(make([]byte, 20))
	closed(t, err, "write to tun0: "+why)
	if err := link.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	reaped(t, link.Holder)
}

// A holder that does not react is killed.
func TestPrivateHolderStopped(t *testing.T) {
	t.Parallel() // takes the 2 s that a holder has for its exit
	link := tuntest.OpenPrivate(t, tun.Config{})
	freeze(t, link)
	done := make(chan error, 1)
	go func() { done <- link.Close() }()
	if err := wait(t, done); err != nil {
		t.Errorf("Close: %v", err)
	}
	reaped(t, link.Holder)
}

func TestPrivateHolderOutlivesTheTerminal(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	if session, err := unix.Getsid(link.Holder); err != nil || session != link.Holder {
		t.Errorf("the holder's terminal session is %d, %v, want its own", session, err)
	}
	for _, s := range []unix.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		tuntest.Signal(t, link.Holder, s)
	}
	ping(t, link, tuntest.Exec(t, link, "ping", "-n", "-c", "1", "-W", "5", "10.77.0.2"))
}

func TestPrivateDeviceDeleted(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	pending := blockedRead(link)
	output(t, link, "ip", "link", "del", "tun0")
	closed(t, wait(t, pending), "read from tun0: the device was deleted")
	_, err := link.Write(make([]byte, 20))
	closed(t, err, "write to tun0: the device was deleted")
	_, err = link.Read(make([]byte, 65535))
	closed(t, err, "read from tun0: the device was deleted")
	if err := link.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestPrivateLinkDown(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	pending := blockedRead(link)
	output(t, link, "ip", "link", "set", "tun0", "down")
	packet := []byte{0x45, 19: 0}
	_, err := link.Write(packet)
	if !errors.Is(err, unix.EIO) || errors.Is(err, os.ErrClosed) {
		t.Fatalf("Write on a link that is down returned %v, want EIO", err)
	}
	contains(t, err.Error(), "write to tun0: the link is down")
	contains(t, err.Error(), "tun-mcp exec -- ip link set tun0 up")

	output(t, link, "ip", "link", "set", "tun0", "up")
	if _, err := link.Write(packet); err != nil {
		t.Errorf("Write on a link that is up again: %v", err)
	}
	cmd := tuntest.Exec(t, link, "ping", "-n", "-c", "1", "-W", "5", "10.77.0.2")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, pending); err != nil {
		t.Errorf("the Read that was waiting all the time: %v", err)
	}
	cmd.Process.Kill() // nobody answers it
	cmd.Wait()
}

func TestPrivateLeavesNothing(t *testing.T) {
	tuntest.RequirePrivate(t) // the runtime opens descriptors that it keeps
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := descriptors()
	for range 50 {
		link, err := tun.Open(tun.Config{Network: "private"})
		if err != nil {
			t.Fatal(err)
		}
		link.Close()
		reaped(t, link.Holder)
	}
	if after := descriptors(); after != before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
}
