//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// otherClient prepares a real MCP client with a scripted model behind it, as
// newClaude does. The variable names the program; without it the test is
// skipped, or fails, as by tuntest.Unmet. A home and a project that are empty are its own.
func otherClient(t *testing.T, variable string, m *model) *claude {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		tuntest.Unmet(t, fmt.Errorf("%s is not set: .ci/run installs the client and sets it", variable))
	}
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	c := &claude{t: t, model: m, project: t.TempDir(), home: t.TempDir(), ended: make(chan struct{}), process: exec.Command(path)}
	runtime := shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", runtime) // control.Find looks there
	c.process.Dir = c.project
	c.process.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "XDG_RUNTIME_DIR=" + runtime,
		// What does not go to the model goes to it all the same, as a proxy.
		"HTTP_PROXY=" + m.url, "HTTPS_PROXY=" + m.url, "NO_PROXY=127.0.0.1"}
	c.process.Stdout = lockedWriter{&c.mu, &c.out}
	c.process.Stderr = c.process.Stdout
	c.process.WaitDelay = 5 * time.Second
	return c
}

// documented is the nth block of a language in docs/clients.md, from 0, with
// the program under test in place of tun-mcp.
func documented(t *testing.T, language string, n int) string {
	t.Helper()
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(readFile(t, "docs/clients.md"), -1)
	if n >= len(blocks) {
		t.Fatalf("docs/clients.md has %d %s blocks", len(blocks), language)
	}
	return strings.Replace(blocks[n][1], `"tun-mcp"`, `"`+program+`"`, 1)
}

// write writes a file into a folder.
func write(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// list runs the client's own list of its servers and wants a line of it.
func (c *claude) list(want string, args ...string) {
	c.t.Helper()
	cmd := exec.Command(c.process.Path, args...)
	cmd.Dir, cmd.Env = c.process.Dir, c.process.Env
	out, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile(want).Match(out) {
		c.t.Errorf("%v: %v\n%s\nwant %s", args, err, out, want)
	}
}

// threePings is a prompt for which the scripted model knows when to end.
const threePings = "answer pings until you have answered 3"

// longThen is for a ping that is a process of its own: it may take a while to
// come.
const longThen = 60000

// answers starts the client with threePings; when they are answered it ends, and
// its server with it.
func (c *claude) answers(args ...string) {
	c.t.Helper()
	const count = 3
	c.process.Args = append(c.process.Args, args...)
	c.launch()
	c.reading()
	gone := c.traces()
	c.t.Cleanup(func() { // what was said helps whoever reads a failure
		if c.t.Failed() {
			for _, turn := range c.turns() {
				result, _, _ := turn.ask.lastResult()
				c.t.Logf("the model got %q and said %q", result, turn.said)
			}
		}
	})
	for range count { // one by one: ping -c 3 waits for the last reply no longer than twice the slowest
		if out, err := exec.Command(program, "exec", "--", "ping", "-q", "-c", "1", "-W", "50", "10.77.0.2").CombinedOutput(); err != nil {
			c.t.Fatalf("ping: %v\n%s", err, out)
		}
	}
	if out, want := c.finished(), fmt.Sprintf("I answered %d pings", count); !strings.Contains(out, want) {
		c.t.Errorf("the client printed %q, want %q in it", out, want)
	}
	gone()
	turns := c.turns()
	if want := 1 + count + 1; len(turns) != want {
		c.t.Errorf("%d turns for %d pings, want %d", len(turns), count, want)
	}
	if got := len(turns[0].ask.Tools); got != 3 {
		c.t.Errorf("the model was offered %d tools of the server, want 3", got)
	}
	for _, turn := range turns[1:] {
		if result, _, _ := turn.ask.lastResult(); !strings.Contains(result, "checksums ok") && !strings.Contains(result, "no packet in") {
			c.t.Errorf("the model got %q", result)
		}
	}
	first := turns[0].ask
	told := plain(first.System)
	for _, message := range first.Messages {
		told += plain(message.Content)
	}
	if !strings.Contains(told, "You are the host 10.77.0.2") {
		c.t.Errorf("the server's instructions did not reach the model:\n%s", told)
	}
}

// newCodex is Codex CLI with the configuration of docs/clients.md.
func newCodex(t *testing.T, then int) *claude {
	t.Helper()
	c := otherClient(t, "TUN_MCP_CODEX", startDialect(t, responses, then))
	write(t, c.home, ".codex/config.toml", "model = \"scripted\"\nmodel_provider = \"loopback\"\n"+documented(t, "toml", 0)+
		"[model_providers.loopback]\nname = \"loopback\"\nbase_url = \""+c.model.url+"\"\nwire_api = \"responses\"\n")
	return c
}

func TestCodex(t *testing.T) {
	c := newCodex(t, longThen)
	c.list(`(?m)^tun +\S+/tun-mcp .* enabled `, "mcp", "list")
	c.process.Stdin = strings.NewReader("") // else it waits for more of the prompt
	c.answers("exec", "--skip-git-repo-check", threePings)
}

// newGemini is Gemini CLI with the configuration of docs/clients.md.
func newGemini(t *testing.T, then int) *claude {
	t.Helper()
	c := otherClient(t, "TUN_MCP_GEMINI", startDialect(t, generateContent, then))
	write(t, c.home, ".gemini/settings.json", `{"security": {"auth": {"selectedType": "gemini-api-key"}}, "model": {"name": "gemini-2.5-flash"}, "privacy": {"usageStatisticsEnabled": false}}`)
	write(t, c.project, ".gemini/settings.json", documented(t, "json", 0))
	c.process.Env = append(c.process.Env, "GEMINI_API_KEY=none", "GOOGLE_GEMINI_BASE_URL="+c.model.url)
	return c
}

func TestGemini(t *testing.T) {
	c := newGemini(t, longThen)
	c.process.Env = append(c.process.Env, "GEMINI_CLI_TRUST_WORKSPACE=true")
	c.list(`tun: \S+/tun-mcp .*\(stdio\) - Connected`, "mcp", "list")
	c.answers("--yolo", "--prompt", threePings)
}

// The two commands of docs/trial.md, as they stand there.
func TestTrialOfCodex(t *testing.T)  { newCodex(t, 3000).trial("codex") }
func TestTrialOfGemini(t *testing.T) { newGemini(t, 3000).trial("gemini") }

// trial runs the trial command of docs/trial.md that has the client's name.
func (c *claude) trial(name string) {
	c.t.Helper()
	found := regexp.MustCompile(`(?m)^tun-mcp trial ping --agent '(.*\b` + name + ` .*)'$`).FindStringSubmatch(readFile(c.t, "docs/trial.md"))
	if found == nil {
		c.t.Fatalf("docs/trial.md has no command with %s", name)
	}
	bin, path := c.t.TempDir(), filepath.Join(c.t.TempDir(), "report.json")
	if err := os.Symlink(c.process.Path, filepath.Join(bin, name)); err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(program, "trial", "ping", "--count", "3", "--json", path, "--agent", found[1])
	cmd.Dir, cmd.Env = c.project, append(c.process.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("%v\n%s", err, out)
	}
	report, err := score.Load(path)
	if err != nil {
		c.t.Fatal(err)
	}
	if report.Total.Right != 3 || report.Total.Sent != 3 || report.Agent.Kind != trial.AgentCommand {
		c.t.Errorf("%+v\n%s", report.Total, out)
	}
	c.t.Logf("round trip of a ping: %.1f ms, median", report.Scenarios[0].RoundTrip.Median)
}
