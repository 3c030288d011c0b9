package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// startTrial starts a trial of very many pings and returns when one was
// sent, with the process of its server and what the trial prints.
func startTrial(t *testing.T, args ...string) (cmd *exec.Cmd, server int, printed *bytes.Buffer) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	printed = new(bytes.Buffer)
	cmd = exec.Command(program, append([]string{"trial", "ping", "udp-echo", "--network", "memory", "--count", "10000"}, args...)...)
	cmd.Stdout, cmd.Stderr = printed, printed
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(4 * patience); ; {
		if client, err := control.Find(""); err == nil {
			if status, err := client.Status(t.Context()); err == nil && status.Counters.Received > 0 {
				return cmd, status.PID, printed
			}
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("the trial sends nothing\n%s", printed)
		}
	}
}

// Ctrl-C in the middle prints and saves what there is, and leaves nothing.
func TestTrialInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	cmd, server, printed := startTrial(t, "--json", path)
	ended := tuntest.Watch(t, server)
	until(t, "the first pings are answered", func() bool {
		client, err := control.Find("")
		if err != nil {
			return false
		}
		status, err := client.Status(t.Context())
		return err == nil && status.Counters.Received > 2
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit status is looked at
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

// A report is saved although nobody is there to see the table.
func TestTrialSavesBeforeItPrints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "trial", "ping", "--network", "memory", "--count", "1", "--json", path)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+shortDir(t))
	cmd.Stdout = write
	read.Close()
	_ = cmd.Run() // ends by SIGPIPE
	write.Close()
	if report, err := score.Load(path); err != nil || report.Total.Sent != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A trial that is killed takes its agent with it.
func TestTrialKilled(t *testing.T) {
	for _, agent := range []string{"builtin", "command"} {
		t.Run(agent, func(t *testing.T) {
			var args []string
			if agent == "command" {
				self, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				// Not the shell alone: what it has started ends as well.
				args = []string{"--deadline", "1h", "--agent", badRole + "=sits " + self + " {server}; echo ended"}
			}
			cmd, server, _ := startTrial(t, args...)
			ended := tuntest.Watch(t, server)
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // killed
			ended()
		})
	}
}
