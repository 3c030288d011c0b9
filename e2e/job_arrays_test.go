package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The job arrays of examples/ have a job for each scenario and each of five seeds, and
// the script of one job makes the right reports.
func TestJobArrays(t *testing.T) {
	t.Parallel()
	n := len(scenario.All())
	list := "set -- " + strings.ReplaceAll(scenario.Names(), ",", "") + "\n"
	for path, size := range map[string]string{
		"examples/slurm/trials.sbatch": fmt.Sprintf("--array=0-%d%%", 5*n-1),
		"examples/kubernetes/job.yaml": fmt.Sprintf("completions: %d\n", 5*n),
	} {
		text := readText(t, ".", path)
		for _, want := range []string{list, size, fmt.Sprintf("# %d scenarios", n), fmt.Sprintf(" / %d + 1", n), fmt.Sprintf(" %% %d)", n)} {
			if !strings.Contains(strings.ToLower(text), want) {
				t.Errorf("%s has no %q", path, want)
			}
		}
	}

	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "tun-mcp")); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("examples/slurm/trials.sbatch")
	if err != nil {
		t.Fatal(err)
	}
	for index, want := range map[int]string{0: "ping-1", 5*n - 1: "loss-5"} {
		cmd := exec.Command("sh", script)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t), "SLURM_ARRAY_TASK_ID="+strconv.Itoa(index))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("job %d: %v\n%s", index, err, out)
		}
		name, seed, _ := strings.Cut(want, "-")
		report, err := score.Load(filepath.Join(cmd.Dir, "results", want+".json"))
		if err != nil || report.Scenarios[0].Scenario != name || strconv.FormatUint(report.Settings.Seed, 10) != seed || report.Reward != 1 {
			t.Errorf("job %d: %v, %+v", index, err, report)
		}
	}
}
