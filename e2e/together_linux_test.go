package e2e

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A starter starts servers at the same moment, with one runtime folder. Each
// goes on until its stdin ends.
type starter struct {
	*client
	stdins []io.Closer
	ended  chan *exec.Cmd // each server when it has ended
	said   map[*exec.Cmd]*strings.Builder
}

func newStarter(t *testing.T) *starter {
	s := &starter{client: &client{t: t, runtime: shortDir(t)}, ended: make(chan *exec.Cmd, 100), said: map[*exec.Cmd]*strings.Builder{}}
	t.Setenv("XDG_RUNTIME_DIR", s.runtime)
	return s
}

func (s *starter) start(count int, args ...string) {
	s.t.Helper()
	for range count {
		cmd := s.command(args...)
		s.said[cmd] = &strings.Builder{}
		cmd.Stderr = s.said[cmd]
		stdin, err := cmd.StdinPipe()
		if err != nil {
			s.t.Fatal(err)
		}
		s.stdins = append(s.stdins, stdin)
		if err := cmd.Start(); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { cmd.Process.Kill() })
		go func() { cmd.Wait(); s.ended <- cmd }()
	}
}

// Of servers that are started at the same moment with the same name one has
// it, and the others say so. A dead session's socket is in their way.
func TestOneNameManyServers(t *testing.T) {
	s := newStarter(t)
	if err := os.Mkdir(filepath.Join(s.runtime, "tun-mcp"), 0o700); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: control.SocketPath("same"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()

	const servers = 8
	s.start(servers, "--network", "memory", "--session", "same")
	for range servers - 1 {
		loser := <-s.ended
		want := `a session named "same" is running already: give this one another name with --session, or end that one`
		if loser.ProcessState.ExitCode() != 1 || !strings.Contains(s.said[loser].String(), want) {
			t.Errorf("%v, %s", loser.ProcessState, s.said[loser])
		}
		delete(s.said, loser)
	}
	found, err := control.Find("same")
	if err != nil {
		t.Fatal(err)
	}
	status, err := found.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, stdin := range s.stdins {
		stdin.Close()
	}
	winner := <-s.ended
	if status.PID != winner.Process.Pid || !winner.ProcessState.Success() {
		t.Errorf("process %d answers, %d had the name: %v, %s", status.PID, winner.Process.Pid, winner.ProcessState, s.said[winner])
	}
	s.nothingLeft()
}

// Servers that are started at the same moment without a name are apart: each
// has a session, a namespace and a device tun0 of its own.
func TestManyServersAtTheSameMoment(t *testing.T) {
	tuntest.RequirePrivate(t)
	const servers = 6
	s := newStarter(t)
	s.start(servers, "--network", "private")
	until(t, "the sessions are up", func() bool { return len(control.Running()) == servers })
	namespaces := map[string]bool{}
	for _, name := range control.Running() {
		found, err := control.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		status, err := found.Status(t.Context())
		if err != nil || status.Device != "tun0" || status.Link != "up" {
			t.Errorf("session %s: %+v, %v", name, status, err)
		}
		namespace := namespaceOf(t, status.Holder)
		if namespaces[namespace] {
			t.Errorf("session %s is in the namespace %s, as another is", name, namespace)
		}
		namespaces[namespace] = true
	}
	for _, stdin := range s.stdins {
		stdin.Close()
	}
	for range servers {
		if cmd := <-s.ended; !cmd.ProcessState.Success() {
			t.Errorf("%v, %s", cmd.ProcessState, s.said[cmd])
		}
	}
	for namespace := range namespaces {
		nobodyIn(t, namespace)
	}
	s.nothingLeft()
}
