package tun_test

import (
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// command runs a command that must succeed, and returns its output.
func command(t *testing.T, argv []string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

// openHost opens a link in the host network and closes it at the end of the test.
func openHost(t *testing.T, cfg tun.Config) *tun.Link {
	t.Helper()
	cfg.Network = "host"
	link, err := tun.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	return link
}

func pingHere(link *tun.Link, agent netip.Addr) *exec.Cmd {
	argv, err := tun.ExecCommand(link.Network, link.Holder, []string{"ping", "-n", "-c", "1", "-W", "5", agent.String()})
	if err != nil {
		panic(err)
	}
	return exec.Command(argv[0], argv[1:]...)
}

func TestHostCreates(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	link := openHost(t, tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64"), MTU: 1400})
	if link.Network != "host" || link.Name != "tunmcp0" || link.Holder != 0 || link.Why != "host was requested" {
		t.Errorf("the link is %+v", link)
	}
	if device, err := net.InterfaceByName("tunmcp0"); err != nil || device.MTU != 1400 {
		t.Errorf("the device is %+v, %v", device, err)
	}
	tuntest.RequireProgram(t, "ping")
	ping(t, link, pingHere(link, link.Agent()))
	ping(t, link, pingHere(link, link.Agent6()))

	// While we have the device, nobody else can open it.
	if other, err := tun.Open(tun.Config{Network: "host"}); err == nil {
		other.Close()
		t.Error("the device was opened twice")
	} else {
		contains(t, err.Error(), "another program has it open")
	}

	pending := blockedRead(link)
	if err := link.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	closed(t, wait(t, pending), "read from tunmcp0: the link is closed")
	if err := link.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if device, err := net.InterfaceByName("tunmcp0"); err == nil {
		t.Errorf("the device is still there: %+v", device)
	}
}

// A child that is started while the link is open must not keep the device alive.
func TestHostDeviceIsNotInherited(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	link := openHost(t, tun.Config{})
	child := exec.Command("cat") // waits for the end of its input
	tuntest.RequireProgram(t, "cat")
	input, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	link.Close()
	if _, err := net.InterfaceByName("tunmcp0"); err == nil {
		t.Error("the device is still there")
	}
	input.Close()
	child.Wait()
}

// Without CAP_NET_ADMIN, the commands in the error must be enough.
func TestHostWithoutPrivilege(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	tuntest.RequireProgram(t, "setpriv")
	cfg := tun.Config{Network: "host", Addr6: netip.MustParsePrefix("2001:db8:77::1/64"), MTU: 1400}
	drop := []string{"setpriv", "--bounding-set=-net_admin"}
	refused := openElsewhere(t, cfg, drop...)
	if refused.Link != nil {
		t.Fatal("the link was opened")
	}
	contains(t, refused.Err, "lacks CAP_NET_ADMIN")
	_, commands, found := strings.Cut(refused.Err, "start again: ")
	if !found {
		t.Fatalf("no commands in %q", refused.Err)
	}
	for command := range strings.SplitSeq(commands, "; ") {
		if command, found = strings.CutPrefix(command, "sudo "); !found {
			t.Fatalf("%q has no sudo", command)
		}
		tuntest.Run(t, command)
	}
	attached := openElsewhere(t, cfg, drop...)
	if attached.Link == nil {
		t.Fatal(attached.Err)
	}
	link := attached.Link
	if link.Addr != netip.MustParsePrefix("10.77.0.1/24") || link.Addr6 != cfg.Addr6 || link.MTU != 1400 {
		t.Errorf("the link is %+v", link)
	}
	if want := "host was requested; the device tunmcp0 already existed and stays"; link.Why != want {
		t.Errorf("why is %q, want %q", link.Why, want)
	}
}
