//go:build linux

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// requireClaude returns the path of Claude Code: TUN_MCP_CLAUDE, or else claude on
// PATH. If there is none, the test is skipped; if TUN_MCP_CLAUDE names one that is
// missing, it fails.
func requireClaude(t *testing.T) string {
	t.Helper()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	name := os.Getenv("TUN_MCP_CLAUDE")
	path, err := exec.LookPath(cmp.Or(name, "claude"))
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		err = fmt.Errorf("no Claude Code: %w. npm install --prefix DIR @anthropic-ai/claude-code@latest, then TUN_MCP_CLAUDE=DIR/node_modules/.bin/claude", err)
		if name != "" {
			t.Fatal(err)
		}
		tuntest.Unmet(t, err)
	}
	return path
}

// claude is a real Claude Code with a scripted model behind it. Its home is empty and
// its environment clean, as on a new machine.
type claude struct {
	t       *testing.T
	model   *model
	project string // the working folder
	home    string
	process *exec.Cmd
	ended   chan struct{} // the process has been waited for
	exit    error         // valid after ended

	mu  sync.Mutex // guards out
	out strings.Builder
}

// checkout returns the project as it is shipped: .mcp.json says `go run .`. It builds
// the program first, because Claude Code does not wait for a slow server: it asks the
// model without it.
func checkout(t *testing.T) string {
	t.Helper()
	requireClaude(t)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "run", ".", "--version").CombinedOutput(); err != nil {
		t.Fatalf("go run . --version: %v\n%s", err, out)
	}
	return dir
}

// builtProject returns a folder with the project's files for Claude Code, with the
// built program in place of `go run .`.
func builtProject(t *testing.T) string {
	t.Helper()
	shipped, err := os.ReadFile(".mcp.json")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Servers map[string]map[string]any `json:"mcpServers"`
	}
	if err := json.Unmarshal(shipped, &config); err != nil {
		t.Fatal(err)
	}
	config.Servers["tun"]["command"], config.Servers["tun"]["args"] = program, []string{}
	built, err := json.Marshal(map[string]any{"mcpServers": config.Servers})
	if err != nil {
		t.Fatal(err)
	}
	return claudeProject(t, built)
}

// claudeProject returns a folder with that .mcp.json and the project's settings for
// Claude Code.
func claudeProject(t *testing.T, servers []byte) string {
	t.Helper()
	dir := t.TempDir()
	settings, err := os.ReadFile(".claude/settings.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".claude"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{".mcp.json": servers, ".claude/settings.json": settings} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// newClaude prepares Claude Code in a project. trusted means that its user has already
// accepted the dialog "do you trust the files in this folder".
func newClaude(t *testing.T, project string, trusted bool) *claude {
	t.Helper()
	path := requireClaude(t)
	c := &claude{t: t, model: startModel(t, 1), project: project, home: t.TempDir(), ended: make(chan struct{})}
	if trusted {
		state, err := json.Marshal(map[string]any{"projects": map[string]any{project: map[string]any{"hasTrustDialogAccepted": true}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.home, ".claude.json"), state, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runtime := tuntest.RuntimeDir(t)
	t.Setenv("XDG_RUNTIME_DIR", runtime) // control.Find looks there
	c.process = exec.Command(path)
	c.process.Dir = project
	c.process.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "XDG_RUNTIME_DIR=" + runtime,
		"ANTHROPIC_BASE_URL=" + c.model.url, "ANTHROPIC_API_KEY=none",
		"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1",
		// The model is also the proxy, so it gets all other requests too.
		"HTTP_PROXY=" + c.model.url, "HTTPS_PROXY=" + c.model.url, "NO_PROXY=127.0.0.1",
	}
	// `go run .` needs the caches and settings of this test's environment.
	for _, name := range []string{"GOENV", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOTOOLCHAIN"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatalf("go env %s: %v", name, err)
		}
		c.process.Env = append(c.process.Env, name+"="+strings.TrimSpace(string(value)))
	}
	c.process.Stdout = lockedWriter{&c.mu, &c.out}
	c.process.Stderr = c.process.Stdout
	c.process.WaitDelay = 5 * time.Second // a surviving child must not delay the test
	return c
}

// start starts `claude -p` with a prompt.
func (c *claude) start(prompt string, args ...string) {
	c.t.Helper()
	c.process.Args = append(append(c.process.Args, "-p", prompt), args...)
	c.launch()
}

// launch starts the process.
func (c *claude) launch() {
	c.t.Helper()
	if err := c.process.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { c.exit = c.process.Wait(); close(c.ended) }()
	c.t.Cleanup(func() {
		c.process.Process.Kill()
		<-c.ended
	})
}

// claudePatience bounds a whole run, with the build that `go run .` may need.
const claudePatience = 2 * time.Minute

// reading waits until the model has made its first call, a read.
func (c *claude) reading() {
	c.t.Helper()
	select {
	case <-c.model.asked:
	case <-c.ended:
		c.t.Fatalf("claude ended before it asked the model anything: %v\n%s", c.exit, c.said())
	case <-time.After(claudePatience):
		c.t.Fatalf("claude asked the model nothing in %v\n%s", claudePatience, c.said())
	}
}

// finished waits until claude ends by itself and returns what it printed.
func (c *claude) finished() string {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(claudePatience):
		c.t.Fatalf("claude is still running after %v\n%s", claudePatience, c.said())
	}
	if c.exit != nil {
		c.t.Errorf("claude: %v\n%s", c.exit, c.said())
	}
	return c.said()
}

func (c *claude) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

// turns returns the requests that the model got. Call it after the end.
func (c *claude) turns() []turn {
	c.model.mu.Lock()
	defer c.model.mu.Unlock()
	for _, other := range c.model.other {
		if method, url, _ := strings.Cut(other, " "); method == "CONNECT" || strings.Contains(url, "://") {
			c.t.Logf("the client wanted to leave the machine: %s", other)
		}
	}
	if len(c.model.turns) == 0 {
		c.t.Fatalf("the model got no request\n%s", c.said())
	}
	return c.model.turns
}

// traces finds the server that the client has started, and returns a function that
// fails the test if any of it is left.
func (c *claude) traces() (gone func()) {
	c.t.Helper()
	found, err := control.Find("")
	if err != nil {
		c.t.Fatalf("claude asked the model before its server ran, or the server has ended: %v\n%s", err, c.said())
	}
	status, err := found.Status(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	watched := []func(){tuntest.Watch(c.t, status.PID), tuntest.Watch(c.t, status.Holder)}
	if parent := parentOf(c.t, status.PID); parent != c.process.Process.Pid {
		watched = append(watched, tuntest.Watch(c.t, parent)) // go run
	}
	namespace := namespaceOf(c.t, status.Holder)
	socket := control.SocketPath(status.Session)
	return func() {
		c.t.Helper()
		for _, ended := range watched {
			ended()
		}
		nobodyIn(c.t, namespace)
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(socket), "*")); len(left) > 0 {
			c.t.Errorf("left behind: %v", left)
		}
	}
}

// parentOf returns the parent of process pid, see proc(5).
func parentOf(t *testing.T, pid int) int {
	t.Helper()
	return int(processStatus(t, pid, "PPid"))
}

// pings runs the kernel's own ping on the peer count times. Each ping starts when the
// one before is answered, however slow the machine is. It returns the average round
// trip, which is the cost of a turn.
func pings(t *testing.T, count int) time.Duration {
	t.Helper()
	each := fmt.Sprintf("for i in $(seq %d); do ping -q -c 1 -W 60 10.77.0.2 || exit; done", count)
	out, err := exec.Command(program, "exec", "--", "sh", "-c", each).CombinedOutput()
	found := regexp.MustCompile(`rtt min/avg/max/mdev = ([\d.]+)/`).FindAllStringSubmatch(string(out), -1)
	if err != nil || len(found) != count {
		t.Fatalf("ping: %v, %d of %d answered\n%s", err, len(found), count, out)
	}
	var sum float64
	for _, one := range found {
		ms, err := strconv.ParseFloat(one[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += ms
	}
	average := sum / float64(count)
	t.Logf("ping: average %.1f ms", average)
	return time.Duration(average * float64(time.Millisecond))
}
