package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A recording that lacks packets is reported below the table, and the exit status is
// not 0.
func TestTrialRecordingStops(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", `ulimit -f 8; exec "$0" trial ping --network memory --count 50 --record t.pcapng`, program)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t))
	out, _ := cmd.CombinedOutput()
	want := regexp.MustCompile(`50 of 50 right[^\n]*\nthe recording t\.pcapng stopped after packet #\d\d: file too large\n$`)
	if status := cmd.ProcessState.ExitCode(); status != 1 || !want.Match(out) {
		t.Errorf("exit status %d, want 1 and %s\n%s", status, want, out)
	}
}
