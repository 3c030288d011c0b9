package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// reachFolder is an environment variable with a folder, for the run of the test below
// that exec starts.
const reachFolder = "TUN_MCP_TEST_REACH"

// exec's programs reach what docs/confinement.md says: the user's files and the Unix
// sockets in the file system, but no abstract socket and no port of the host.
func TestProgramsOfExecReach(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(reachFolder); dir != "" {
		tryToReach(t, dir)
		return
	}
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "nsenter")
	dir := tuntest.RuntimeDir(t)
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for network, address := range map[string]string{"unix": filepath.Join(dir, "socket"), "unix ": "@" + dir, "tcp": "127.0.0.1:0"} {
		l, err := net.Listen(strings.TrimSpace(network), address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if network == "tcp" {
			if err := os.WriteFile(filepath.Join(dir, "port"), []byte(l.Addr().String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := startServer(t, modernEra, "--network", "private")
	cmd := c.command("exec", "--", self, "-test.run=^TestProgramsOfExecReach$", "-test.v")
	cmd.Env = append(cmd.Env, reachFolder+"="+dir, builtProgram+"="+program)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}

	// Other users can read the tables of the network, unless /proc hides them.
	holder := c.status().Holder
	if os.Getuid() == 0 {
		tuntest.RequireProgram(t, "setpriv")
		look := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", filepath.Join("/proc", strconv.Itoa(holder), "net/dev"))
		if out, err := look.CombinedOutput(); err == nil && !strings.Contains(string(out), "tun0") {
			t.Errorf("another user sees %s", out)
		}
	}
}

func tryToReach(t *testing.T, dir string) {
	t.Helper()
	if data, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(data) != "mine" {
		t.Errorf("the file: %q, %v", data, err)
	}
	port, err := os.ReadFile(filepath.Join(dir, "port"))
	if err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		network, address string
		reached          bool
	}{
		{"unix", filepath.Join(dir, "socket"), true},
		{"unix", "@" + dir, false},
		{"tcp", string(port), false},
	} {
		conn, err := net.Dial(try.network, try.address)
		if err == nil {
			conn.Close()
		}
		if reached := err == nil; reached != try.reached {
			t.Errorf("%s %s: %v", try.network, try.address, err)
		}
	}
}
