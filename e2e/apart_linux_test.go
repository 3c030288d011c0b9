package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// apart is set in the environment of a test that runs in namespaces of its own.
const apart = "TUN_MCP_TEST_APART"

// inNamespace runs the test that calls it once more, in a new user and network
// namespace, and tells whether this is that run: a host of its own, where what
// gets out of a session gets no further. There it has a way out, lan0, with the
// addresses 192.0.2.1 and 2001:db8:1::1 and a default route, which takes
// whatever is sent and loses it.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(apart) == t.Name() {
		if interfaces, err := net.Interfaces(); err != nil || len(interfaces) != 1 {
			t.Fatalf("interfaces %v, %v, want lo alone: this is no new namespace", interfaces, err)
		}
		lan, err := tun.Open(tun.Config{Network: tun.NetworkHost, Name: "lan0",
			Addr: netip.MustParsePrefix("192.0.2.1/24"), Addr6: netip.MustParsePrefix("2001:db8:1::1/64")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { lan.Close() })
		runs(t, "ip link set lo up", "ip route add default via 192.0.2.254", "ip route add default via 2001:db8:1::fe")
		return true
	}
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ip")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), apart+"="+t.Name(), builtProgram+"="+program, hostAddresses+"="+ownAddresses(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("in a namespace of its own: %v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		tuntest.Unmet(t, fmt.Errorf("in a namespace of its own:\n%s", out))
	default:
		t.Logf("in a namespace of its own:\n%s", out)
	}
	return false
}

// runs runs commands that have to succeed, in words divided by blanks.
func runs(t *testing.T, commands ...string) {
	t.Helper()
	for _, command := range commands {
		argv := strings.Fields(command)
		tuntest.RequireProgram(t, argv[0])
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
}
