package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// harborTask has the keys of task.toml that examples/harbor writes.
type harborTask struct {
	SchemaVersion string `toml:"schema_version"`
	Task          struct {
		Name, Description string
		Keywords          []string
	}
	Agent, Verifier struct {
		Timeout float64 `toml:"timeout_sec"`
	}
	Environment struct {
		BuildTimeout float64 `toml:"build_timeout_sec"`
		CPUs         int
		Memory       int `toml:"memory_mb"`
		Storage      int `toml:"storage_mb"`
		Servers      []struct {
			Name, Transport, Command string
			Args                     []string
		} `toml:"mcp_servers"`
	}
}

// The tasks that examples/harbor makes, without Docker: there is one for each scenario,
// and each is complete. Its server is a trial that a right agent passes, and its
// verifier writes the trial's reward.
func TestHarborTasks(t *testing.T) {
	t.Parallel()
	tuntest.RequireProgram(t, "bash")
	folder := t.TempDir()
	flags := []string{"--count", "2", "--interval", "20ms", "--deadline", "5s"}
	cmd := exec.Command("sh", append([]string{"examples/harbor/make-tasks", folder}, flags...)...)
	cmd.Env = append(os.Environ(), "TUN_MCP="+program)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := os.ReadDir(folder)
	if err != nil || len(made) != len(scenario.All()) {
		t.Fatalf("%d tasks, %v: want one for each of the %d scenarios", len(made), err, len(scenario.All()))
	}
	for _, s := range scenario.All() {
		t.Run(s.Name, func(t *testing.T) {
			task := filepath.Join(folder, s.Name)
			server := harborServer(t, task, s.Name, flags)
			logs := t.TempDir()
			playHarbor(t, server, logs, "")
			if got := harborReward(t, task, logs); got != 1 {
				t.Errorf("reward %v", got)
			}
		})
	}

	task := filepath.Join(folder, "noise")
	server := harborServer(t, task, "noise", flags)
	for name, test := range map[string]struct {
		before   func(logs string)
		min, max float64
	}{
		"wrong on purpose": {func(logs string) { playHarbor(t, server, logs, "noise") }, 0.01, 0.99},
		"never played":     {func(string) {}, 0, 0},
		"oracle": {func(logs string) {
			bin := t.TempDir()
			if err := os.Symlink(program, filepath.Join(bin, "tun-mcp")); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(logs, "agent"), 0o755); err != nil {
				t.Fatal(err)
			}
			runHarbor(t, filepath.Join(task, "solution/solve.sh"), logs, "PATH="+bin+":"+os.Getenv("PATH"))
		}, 1, 1},
	} {
		logs := t.TempDir()
		test.before(logs)
		if got := harborReward(t, task, logs); got < test.min || got > test.max {
			t.Errorf("%s: reward %v, want %v to %v", name, got, test.min, test.max)
		}
	}
}

// harborServer checks the files of a task and returns the command line of its MCP
// server.
func harborServer(t *testing.T, folder, name string, flags []string) []string {
	t.Helper()
	var task harborTask
	meta, err := toml.DecodeFile(filepath.Join(folder, "task.toml"), &task)
	if err != nil {
		t.Fatal(err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		t.Errorf("task.toml has keys that this test does not know from the format: %v", unknown)
	}
	e := task.Environment
	if task.SchemaVersion == "" || task.Task.Name != "tun-mcp/"+name || task.Task.Description == "" || len(task.Task.Keywords) == 0 ||
		task.Agent.Timeout <= 0 || task.Verifier.Timeout <= 0 || e.BuildTimeout <= 0 || e.CPUs < 1 || e.Memory <= 0 || e.Storage <= 0 {
		t.Errorf("%+v", task)
	}
	if len(e.Servers) != 1 || e.Servers[0].Name != "tun" || e.Servers[0].Transport != "stdio" || e.Servers[0].Command != "tun-mcp" {
		t.Fatalf("MCP servers %+v", e.Servers)
	}
	args := e.Servers[0].Args
	if !slices.Equal(args[len(args)-len(flags):], flags) {
		t.Errorf("%q do not end in the flags %q", args, flags)
	}
	told, err := exec.Command(program, append([]string{"trial", name, "--print-prompt"}, flags...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	if instruction := readText(t, folder, "instruction.md"); instruction != string(told) || !strings.Contains(instruction, "10.77.0.2") {
		t.Errorf("the instruction is %q", instruction)
	}
	if docker := readText(t, folder, "environment/Dockerfile"); !strings.Contains(docker, "COPY tun-mcp /usr/local/bin/tun-mcp\n") {
		t.Errorf("the Dockerfile is %q", docker)
	}
	for _, name := range []string{"environment/tun-mcp", "tests/test.sh", "solution/solve.sh"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode()&0o111 == 0 {
			t.Errorf("%s is not a program: %v", name, err)
		}
	}
	return append([]string{filepath.Join(folder, "environment/tun-mcp")}, args...)
}

// playHarbor plays a task with the built-in agent. logs takes the place of /logs.
func playHarbor(t *testing.T, server []string, logs, mistake string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(logs, "agent"), 0o755); err != nil {
		t.Fatal(err)
	}
	server = append([]string{"env", "XDG_RUNTIME_DIR=" + tuntest.RuntimeDir(t)}, server...)
	for i := range server {
		server[i] = strings.Replace(server[i], "/logs/", logs+"/", 1)
	}
	var said strings.Builder
	a, err := agent.Start(t.Context(), agent.Config{Stderr: &said, Server: server, Mistake: mistake})
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "the trial is over") {
		t.Errorf("%v, want the notice that the trial is over\n%s", err, &said)
	}
	if _, err := a.Close(); err != nil && mistake == "" {
		t.Errorf("%v\n%s", err, &said)
	}
}

// harborReward runs a task's verifier and returns the reward that it writes.
func harborReward(t *testing.T, task, logs string) float64 {
	t.Helper()
	runHarbor(t, filepath.Join(task, "tests/test.sh"), logs)
	reward, err := strconv.ParseFloat(strings.TrimSpace(readText(t, logs, "verifier/reward.txt")), 64)
	if err != nil {
		t.Fatal(err)
	}
	return reward
}

// runHarbor runs a script of a task. logs takes the place of /logs.
func runHarbor(t *testing.T, script, logs string, env ...string) {
	t.Helper()
	cmd := exec.Command("bash", script)
	cmd.Env = append(append(os.Environ(), "LOGS="+logs, "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t)), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func readText(t *testing.T, folder, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
