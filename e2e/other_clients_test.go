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

	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// otherClient prepares a real MCP client with a scripted model behind it, as newClaude
// does. variable names the environment variable with the program's path. Without it the
// test is skipped, or fails, see tuntest.Unmet. The client has an empty home and an
// empty project.
func otherClient(t *testing.T, variable string, m *model) *claude {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		tuntest.Unmet(t, fmt.Errorf("%s is not set: .ci/run installs the client and sets it", variable))
	}
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	c := &claude{t: t, model: m, project: t.TempDir(), home: t.TempDir(), ended: make(chan struct{}), process: exec.Command(path)}
	runtime := tuntest.RuntimeDir(t)
	t.Setenv("XDG_RUNTIME_DIR", runtime) // control.Find looks there
	c.process.Dir = c.project
	c.process.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "XDG_RUNTIME_DIR=" + runtime,
		"TUN_MCP_RUNTIME_DIR=" + os.Getenv("TUN_MCP_RUNTIME_DIR"),
		// The model is also the proxy, so it gets all other requests too.
		"HTTP_PROXY=" + m.url, "HTTPS_PROXY=" + m.url, "NO_PROXY=127.0.0.1"}
	c.process.Stdout = lockedWriter{&c.mu, &c.out}
	c.process.Stderr = c.process.Stdout
	c.process.WaitDelay = 5 * time.Second
	return c
}

// documented returns the nth code block of a language in docs/clients.md, from 0, with
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

// list runs the client's own list of servers and checks that it has a line with want.
func (c *claude) list(want string, args ...string) {
	c.t.Helper()
	cmd := exec.Command(c.process.Path, args...)
	cmd.Dir, cmd.Env = c.process.Dir, c.process.Env
	out, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile(want).Match(out) {
		c.t.Errorf("%v: %v\n%s\nwant %s", args, err, out, want)
	}
}

// threePings is a prompt with a number of pings, after which the scripted model ends.
const threePings = "answer pings until you have answered 3"

// longThen is the wait for pings that are separate processes, which take a while to
// start.
const longThen = 60000

// answers starts the client with threePings and checks that it answers them and ends,
// and its server with it.
func (c *claude) answers(args ...string) {
	c.t.Helper()
	const count = 3
	c.process.Args = append(c.process.Args, args...)
	c.launch()
	c.reading()
	gone := c.traces()
	c.t.Cleanup(func() { // the conversation helps to explain a failure
		if c.t.Failed() {
			for _, turn := range c.turns() {
				result, _, _ := turn.ask.lastResult()
				c.t.Logf("the model got %q and said %q", result, turn.said)
			}
		}
	})
	for range count { // one by one: ping -c 3 waits for the last reply at most twice as long as the slowest took
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
	if got := len(turns[0].ask.Tools); got != 4 {
		c.t.Errorf("the model was offered %d tools of the server, want 4", got)
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

// newCodex prepares Codex CLI with the configuration in docs/clients.md.
func newCodex(t *testing.T, then int) *claude {
	t.Helper()
	c := otherClient(t, "TUN_MCP_CODEX", startDialect(t, responses, then))
	apart := "[mcp_servers.tun]\nenv_vars = [\"TUN_MCP_RUNTIME_DIR\"]\n" // where this test looks for sessions
	server := strings.Replace(documented(t, "toml", 0), "[mcp_servers.tun]\n", apart, 1)
	write(t, c.home, ".codex/config.toml", "model = \"scripted\"\nmodel_provider = \"loopback\"\n"+server+
		"[model_providers.loopback]\nname = \"loopback\"\nbase_url = \""+c.model.url+"\"\nwire_api = \"responses\"\n")
	return c
}

func TestCodex(t *testing.T) {
	c := newCodex(t, longThen)
	c.list(`(?m)^tun +\S+/tun-mcp .* enabled `, "mcp", "list")
	c.process.Stdin = strings.NewReader("") // otherwise it waits for more of the prompt
	c.answers("exec", "--skip-git-repo-check", threePings)
}

// newGemini prepares Gemini CLI with the configuration in docs/clients.md.
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

// The two commands in docs/trial.md, unchanged.
func TestTrialOfCodex(t *testing.T)  { newCodex(t, 3000).trial("codex") }
func TestTrialOfGemini(t *testing.T) { newGemini(t, 3000).trial("gemini") }

// trial runs the trial command of docs/trial.md with that client's name.
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
	if report.Total.Right != 3 || report.Total.Sent != 3 || report.Agent.Kind != subject.Command {
		c.t.Errorf("%+v\n%s", report.Total, out)
	}
	c.t.Logf("round trip of a ping: %.1f ms, median", report.Scenarios[0].RoundTrip.Median)
}
