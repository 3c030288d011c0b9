package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// startTrial starts a trial of very many pings and returns after the first, with its
// session, the process of its server, and its output.
func startTrial(t *testing.T, args ...string) (cmd *exec.Cmd, s *control.Client, server int, printed *bytes.Buffer) {
	t.Helper()
	runtime := tuntest.RuntimeDir(t)
	printed = new(bytes.Buffer)
	cmd = exec.Command(program, append([]string{"trial", "ping", "udp-echo", "--network", "memory", "--count", "10000"}, args...)...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtime)
	cmd.Stdout, cmd.Stderr = printed, printed
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(4 * patience); ; {
		for _, s := range sessionsIn(t, runtime) {
			if status, err := s.Status(t.Context()); err == nil && status.Counters.Received > 0 {
				return cmd, s, status.PID, printed
			}
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("the trial sends nothing\n%s", printed)
		}
	}
}

// Ctrl-C during a trial prints and saves the results so far, and leaves nothing.
func TestTrialInterrupted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "report.json")
	cmd, s, server, printed := startTrial(t, "--json", path)
	ended := tuntest.Watch(t, server)
	until(t, "the first pings are answered", func() bool {
		status, err := s.Status(t.Context())
		return err == nil && status.Counters.Received > 2
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit status is checked below
	ended()
	report, err := score.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	pinged, rest := report.Scenarios[0], report.Scenarios[1]
	if cmd.ProcessState.ExitCode() != 1 || report.Cut != "interrupted" || pinged.Tally.Sent == 0 || pinged.Passed ||
		pinged.Tally.Sent == 10000 || !rest.Skipped || rest.Reason != "the trial was interrupted before its turn" {
		t.Errorf("exit status %d, cut %q, %d sent\n%s", cmd.ProcessState.ExitCode(), report.Cut, pinged.Tally.Sent, printed)
	}
	if !bytes.Contains(printed.Bytes(), []byte("ended early: interrupted")) {
		t.Errorf("the table does not say that it was interrupted\n%s", printed)
	}
}

// A report is saved even if nobody can see the table.
func TestTrialSavesBeforeItPrints(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "report.json")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "trial", "ping", "--network", "memory", "--count", "1", "--json", path)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t))
	cmd.Stdout = write
	read.Close()
	_ = cmd.Run() // killed by SIGPIPE
	write.Close()
	if report, err := score.Load(path); err != nil || report.Total.Sent != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// If a trial is killed, its agent ends too.
func TestTrialKilled(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"builtin", "command"} {
		t.Run(agent, func(t *testing.T) {
			var args []string
			if agent == "command" {
				self, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				// Not only the shell ends, but also the processes that it started.
				args = []string{"--deadline", "1h", "--agent", badRole + "=sits " + self + " {server}; echo ended"}
			}
			cmd, _, server, _ := startTrial(t, args...)
			ended := tuntest.Watch(t, server)
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // killed
			ended()
		})
	}
}
