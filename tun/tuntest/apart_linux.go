package tuntest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// apart is the environment variable that marks a test as running in its own namespaces.
const apart = "TUN_MCP_TEST_APART"

// InNamespace runs the calling test again, in a new user and network namespace and with
// env added to its environment. It returns true in that run and false in the outer one.
// So a test of the host network never touches the real network.
func InNamespace(t *testing.T, env ...string) bool {
	t.Helper()
	if os.Getenv(apart) == t.Name() {
		if interfaces, err := net.Interfaces(); err != nil || len(interfaces) != 1 {
			t.Fatalf("interfaces %v, %v, want only lo: this is not a new namespace", interfaces, err)
		}
		return true
	}
	RequirePrivate(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), apart+"="+t.Name()), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("in its own namespace: %v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		Unmet(t, fmt.Errorf("in its own namespace:\n%s", out))
	default:
		t.Logf("in its own namespace:\n%s", out)
	}
	return false
}

// Run runs commands that must succeed. Each is split into words at spaces.
func Run(t testing.TB, commands ...string) {
	t.Helper()
	for _, command := range commands {
		argv := strings.Fields(command)
		RequireProgram(t, argv[0])
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
}
