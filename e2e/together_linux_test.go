package e2e

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A starter starts servers at the same moment, with one runtime folder. Each runs until
// its stdin ends.
type starter struct {
	*client
	stdins []io.Closer
	ended  chan *exec.Cmd // receives each server after its end
	said   map[*exec.Cmd]*strings.Builder
}

func newStarter(t *testing.T) *starter {
	return &starter{client: &client{t: t, runtime: tuntest.RuntimeDir(t)}, ended: make(chan *exec.Cmd, 100), said: map[*exec.Cmd]*strings.Builder{}}
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

// If servers start at the same moment with the same name, one gets it, and the others
// say so. The socket of a dead session is in their way.
func TestOneNameManyServers(t *testing.T) {
	t.Parallel()
	s := newStarter(t)
	folder := filepath.Join(s.runtime, "tun-mcp")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(folder, "same.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()

	const servers = 8
	s.start(servers, "--network", "memory", "--session", "same")
	for range servers - 1 {
		loser := <-s.ended
		want := `a session named "same" is already running; give this one another name with --session, or end the other`
		if loser.ProcessState.ExitCode() != 1 || !strings.Contains(s.said[loser].String(), want) {
			t.Errorf("%v, %s", loser.ProcessState, s.said[loser])
		}
		delete(s.said, loser)
	}
	status, err := sessionIn(t, s.runtime).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, stdin := range s.stdins {
		stdin.Close()
	}
	winner := <-s.ended
	if status.PID != winner.Process.Pid || !winner.ProcessState.Success() {
		t.Errorf("process %d answers, but process %d had the name: %v, %s", status.PID, winner.Process.Pid, winner.ProcessState, s.said[winner])
	}
	s.nothingLeft()
}

// Servers that start at the same moment without a name are independent: each has its
// own session, namespace and device tun0.
func TestManyServersAtTheSameMoment(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	const servers = 6
	s := newStarter(t)
	s.start(servers, "--network", "private")
	var up []*control.Client
	until(t, "the sessions are up", func() bool { up = sessionsIn(t, s.runtime); return len(up) == servers })
	namespaces := map[string]bool{}
	for _, found := range up {
		status, err := found.Status(t.Context())
		if err != nil || status.Device != "tun0" || status.Link != "up" {
			t.Errorf("session %s: %+v, %v", found.Name, status, err)
		}
		namespace := namespaceOf(t, status.Holder)
		if namespaces[namespace] {
			t.Errorf("sessions share a namespace: %s is in %s", found.Name, namespace)
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
