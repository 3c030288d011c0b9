package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A server that has no descriptor left serves the agent on, and commands again
// as soon as it has one.
func TestDescriptorLimitReached(t *testing.T) {
	c := startProgram(t, modernEra, exec.Command("sh", "-c", `ulimit -n 40; exec "$0" --network memory`, program))
	s := c.connect()
	var held []net.Conn
	for range 64 { // says nothing, and takes a descriptor of the server's
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

// A server that may open next to nothing does not start, and says why.
func TestDescriptorLimitAtTheStart(t *testing.T) {
	tuntest.RequirePrivate(t)
	for _, limit := range []string{"10", "13"} {
		c := &client{t: t, runtime: shortDir(t)}
		cmd := exec.Command("sh", "-c", `ulimit -n `+limit+`; exec "$0" --network private`, program)
		cmd.Env = c.command().Env
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(out), "tun-mcp: ") || !strings.Contains(string(out), "too many open files") {
			t.Errorf("with %s descriptors: %v, %s", limit, cmd.ProcessState, out)
		}
		c.nothingLeft()
	}
}

func TestExecWithoutNsenter(t *testing.T) {
	tuntest.RequirePrivate(t)
	c := startServer(t, modernEra, "--network", "private")
	cmd := c.command("exec", "--", "ping", "-c1", "10.77.0.2")
	cmd.Env = append(cmd.Env, "PATH=/nowhere")
	out, err := cmd.CombinedOutput()
	if want := `"nsenter": executable file not found in $PATH; install util-linux`; cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), want) {
		t.Errorf("%v, %s", err, out)
	}
}

// A session whose control socket was removed goes on for its agent; commands
// say that they find none. Its end leaves nothing.
func TestControlSocketRemoved(t *testing.T) {
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

// Where no socket can be made the server does not start, and opens no link.
func TestNoFolderForTheSocket(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, where := range [][]string{{"XDG_RUNTIME_DIR=" + file}, {"XDG_RUNTIME_DIR=", "TMPDIR=" + file}} {
		cmd := exec.Command(program, "--network", "memory")
		cmd.Env = append(os.Environ(), where...)
		out, err := cmd.CombinedOutput()
		want := "not a directory; set XDG_RUNTIME_DIR to a folder that you may write to"
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), want) {
			t.Errorf("with %v: %v, %s", where, err, out)
		}
	}
}

// Without XDG_RUNTIME_DIR the socket is in a folder of this user's alone.
func TestNoRuntimeFolder(t *testing.T) {
	dir := shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", dir)
	listener, err := control.Claim("here")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	path := control.SocketPath("here")
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || info.Mode().Perm() != 0o700 || filepath.Dir(filepath.Dir(path)) != dir {
		t.Errorf("the socket is %s, its folder %v, %v", path, info, err)
	}
}
