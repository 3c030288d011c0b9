package tun_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// apart is set in the environment of a test that runs in namespaces of its own.
const apart = "TUN_TEST_APART"

// inNamespace runs the test that calls it once more, in a new user and network
// namespace, and tells whether this is that run: no test of the host network
// touches the real one.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(apart) == t.Name() {
		if interfaces, err := net.Interfaces(); err != nil || len(interfaces) != 1 {
			t.Fatalf("interfaces %v, %v, want lo alone: this is no new namespace", interfaces, err)
		}
		return true
	}
	tuntest.RequirePrivate(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), apart+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("in a namespace of its own: %v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		tuntest.Unmet(t, fmt.Errorf("in a namespace of its own:\n%s", out))
	}
	return false
}

// run runs a command that has to succeed, in words divided by blanks.
func run(t *testing.T, command string) {
	t.Helper()
	argv := strings.Fields(command)
	tuntest.RequireProgram(t, argv[0])
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// openHost opens a link in the host network for the length of the test.
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
	if !inNamespace(t) {
		return
	}
	link := openHost(t, tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64"), MTU: 1400})
	if link.Network != "host" || link.Name != "tunmcp0" || link.Holder != 0 || link.Why != "host was asked for" {
		t.Errorf("the link is %+v", link)
	}
	if device, err := net.InterfaceByName("tunmcp0"); err != nil || device.MTU != 1400 {
		t.Errorf("the device is %+v, %v", device, err)
	}
	tuntest.RequireProgram(t, "ping")
	ping(t, link, pingHere(link, link.Agent()))
	ping(t, link, pingHere(link, link.Agent6()))

	// The device is ours, and no other's while we have it.
	if other, err := tun.Open(tun.Config{Network: "host"}); err == nil {
		other.Close()
		t.Error("it was opened twice")
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

// A child that is started while the link is open must not keep the device.
func TestHostDeviceIsNotInherited(t *testing.T) {
	if !inNamespace(t) {
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

// Without CAP_NET_ADMIN the error's own commands have to be enough.
func TestHostWithoutPrivilege(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	tuntest.RequireProgram(t, "setpriv")
	cfg := tun.Config{Network: "host", Addr6: netip.MustParsePrefix("2001:db8:77::1/64"), MTU: 1400}
	drop := []string{"setpriv", "--bounding-set=-net_admin"}
	refused := openElsewhere(t, cfg, drop...)
	if refused.Link != nil {
		t.Fatal("it was opened")
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
		run(t, command)
	}
	attached := openElsewhere(t, cfg, drop...)
	if attached.Link == nil {
		t.Fatal(attached.Err)
	}
	link := attached.Link
	if link.Addr != netip.MustParsePrefix("10.77.0.1/24") || link.Addr6 != cfg.Addr6 || link.MTU != 1400 {
		t.Errorf("the link is %+v", link)
	}
	if want := "host was asked for; the device tunmcp0 was there and stays"; link.Why != want {
		t.Errorf("why is %q, want %q", link.Why, want)
	}
}
