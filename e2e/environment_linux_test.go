package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A server without free descriptors still serves its agent, and serves commands again
// as soon as it has one.
func TestDescriptorLimitReached(t *testing.T) {
	t.Parallel()
	c := startProgram(t, modernEra, exec.Command("sh", "-c", `ulimit -n 40; exec "$0" --network memory`, program))
	s := c.connect()
	var held []net.Conn
	for range 64 { // sends nothing, and takes one of the server's descriptors
		conn, err := net.Dial("unix", s.Path)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	defer func() {
		for _, conn := range held {
			conn.Close()
		}
	}()
	until(t, "the server says so", func() bool { return strings.Contains(c.errors(), "too many open files") })
	text, failed := c.tool("write_packet", `{"packets": [{"hex": "`+echoHex(t, 84)+`"}], "then_read": {"timeout_ms": 20000, "max_packets": 1}}`)
	if failed || !strings.Contains(text, "ICMP echo reply") {
		t.Errorf("the agent's own packets: %s", text)
	}
	for _, conn := range held {
		conn.Close()
	}
	if status, err := s.Status(t.Context()); err != nil || status.State != "open" {
		t.Errorf("afterwards: %+v, %v", status, err)
	}
	c.endsClean()
}

// A server that may open hardly any descriptors does not start, and says why.
func TestDescriptorLimitAtTheStart(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	for _, limit := range []string{"8", "10", "13", "15"} {
		c := &client{t: t, runtime: tuntest.RuntimeDir(t)}
		cmd := exec.Command("sh", "-c", `ulimit -n `+limit+`; exec "$0" --network private`, program)
		cmd.Env = c.command().Env
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(out), "tun-mcp: ") || !strings.Contains(string(out), "too many open files") || !strings.Contains(string(out), "ulimit -n") || strings.Contains(string(out), "--network memory") {
			t.Errorf("with %s descriptors: %v, %s", limit, cmd.ProcessState, out)
		}
		c.nothingLeft()
	}
}

func TestExecWithoutNsenter(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	c := startServer(t, modernEra, "--network", "private")
	cmd := c.command("exec", "--", "ping", "-c1", "10.77.0.2")
	cmd.Env = append(cmd.Env, "PATH=/nowhere")
	out, err := cmd.CombinedOutput()
	if want := `"nsenter": executable file not found in $PATH; install util-linux`; cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), want) {
		t.Errorf("%v, %s", err, out)
	}
}

// If the control socket of a session is removed, its agent is still served, and
// commands say that no session is running. Its end leaves nothing.
func TestControlSocketRemoved(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory")
	s := c.connect()
	if err := os.Remove(s.Path); err != nil {
		t.Fatal(err)
	}
	out, err := c.command("ping", "-c1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), control.ErrNoSession.Error()) {
		t.Errorf("ping: %v, %s", err, out)
	}
	if text, failed := c.tool("read_packet", `{"timeout_ms": 0}`); failed || !strings.HasPrefix(text, "no packet") {
		t.Errorf("the agent: %s", text)
	}
	c.endsClean()
	c.nothingLeft()
}

// If no socket can be created, the server does not start and opens no link.
func TestNoFolderForTheSocket(t *testing.T) {
	t.Parallel()
	dir := tuntest.RuntimeDir(t)
	if err := os.WriteFile(filepath.Join(dir, "tun-mcp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct{ where, want string }{
		{"XDG_RUNTIME_DIR=" + dir, "is not a folder that you own; remove it, or set XDG_RUNTIME_DIR to a folder that you own"},
		{"TUN_MCP_RUNTIME_DIR=" + missing, "no such file or directory; set XDG_RUNTIME_DIR to a folder that you own"},
	} {
		cmd := exec.Command(program, "--network", "memory")
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR=", test.where)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), test.want) {
			t.Errorf("with %s: %v, %s", test.where, err, out)
		}
	}
}

// Without XDG_RUNTIME_DIR the socket is in a folder that depends only on the user.
func TestNoRuntimeFolder(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	listener, err := control.Claim("here")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	path := control.SocketPath("here")
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || info.Mode().Perm() != 0o700 || filepath.Dir(filepath.Dir(path)) != os.Getenv("TUN_MCP_RUNTIME_DIR") {
		t.Errorf("the socket is %s, its folder %v, %v", path, info, err)
	}
}

// A client starts its server with only HOME and PATH, as the SDKs do, and the terminal
// has more variables.
func TestFoundFromAnyTerminal(t *testing.T) {
	t.Parallel()
	apart := "TUN_MCP_RUNTIME_DIR=" + tuntest.RuntimeDir(t)
	c := startProgram(t, modernEra, exec.Command("env", "-i", "HOME="+tuntest.RuntimeDir(t), "PATH="+os.Getenv("PATH"), apart, program, "--network", "memory"))
	name := c.status().Session // distinguishes it from the sessions of other tests
	var pings sync.WaitGroup
	for _, terminal := range []string{"XDG_RUNTIME_DIR=" + tuntest.RuntimeDir(t), "TMPDIR=" + tuntest.RuntimeDir(t), "XDG_RUNTIME_DIR=relative"} {
		pings.Go(func() {
			ping := exec.Command(program, "ping", "--session", name, "-c1", "-W1")
			ping.Env = []string{"PATH=" + os.Getenv("PATH"), apart, terminal}
			if out, _ := ping.CombinedOutput(); !strings.Contains(string(out), "1 packets transmitted") {
				t.Errorf("ping with %s: %s", terminal, out)
			}
		})
	}
	pings.Wait()
	c.endsClean()
}

// A relative XDG_RUNTIME_DIR is ignored, as its specification says, and a killed server
// leaves no socket.
func TestRelativeRuntimeFolder(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	apart := tuntest.RuntimeDir(t)
	cmd := exec.Command("env", "XDG_RUNTIME_DIR=relative", "TUN_MCP_RUNTIME_DIR="+apart, program, "--network", "private")
	cmd.Dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(cmd.Dir, "relative"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := startProgram(t, modernEra, cmd)
	holder := tuntest.Watch(t, c.status().Holder)
	if err := c.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	holder()
	for _, dir := range []string{cmd.Dir, apart} {
		if left, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}
