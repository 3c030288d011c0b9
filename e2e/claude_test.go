//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
)

// A user's whole way: Claude Code finds .mcp.json, starts the server and offers its
// prompt as a slash command. The model answers 20 pings, one call a ping, and gets
// every byte of each result.
func TestClaudeCodeAnswersPings(t *testing.T) {
	const count = 20
	c := newClaude(t, builtProject(t), true)
	c.start("/mcp__tun__answer-pings " + strconv.Itoa(count))
	c.reading()
	gone := c.traces()
	pings(t, count)
	if out, want := c.finished(), fmt.Sprintf("I answered %d pings", count); !strings.Contains(out, want) {
		t.Errorf("claude printed %q, want %q in it", out, want)
	}
	gone()

	turns := c.turns()
	// A read, then a write for each ping. After the last result the model ends.
	if want := 1 + count + 1; len(turns) != want {
		t.Errorf("%d turns for %d pings, want %d", len(turns), count, want)
	}
	checkTools(t, turns[0].ask)
	var prompt string
	for _, message := range turns[0].ask.Messages {
		if message.Role == "user" {
			prompt += plain(message.Content)
		}
	}
	guide, err := os.ReadFile("docs/answer-pings.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(prompt, "until you have answered 20") || !strings.Contains(prompt, string(guide)) {
		t.Errorf("the first request should contain the whole guide in the prompt; got:\n%s", prompt)
	}
	for i, turn := range turns[1:] {
		result, failed, ok := turn.ask.lastResult()
		if shape := resultShape(i+1, count); !ok || failed || !shape.MatchString(result) {
			t.Errorf("turn %d: the model got (error: %v)\n%s\nwant the shape %s", i+2, failed, result, shape)
		}
	}
}

// resultShape matches the result of the nth call as the model sees it. With one ping at
// a time, the nth request is packet 2n-1 and its reply the next one.
func resultShape(n, count int) *regexp.Regexp {
	shape := `^`
	if n > 1 {
		shape += fmt.Sprintf(`#%d 84 bytes written: IPv4 10\.77\.0\.2 > 10\.77\.0\.1 ICMP echo reply id \d+ seq 1, checksums ok, [\d.]+ s after #%d`, 2*n-2, 2*n-3)
	}
	if n > 1 && n <= count {
		shape += `\n`
	}
	if n <= count {
		shape += fmt.Sprintf(`#%d 84 bytes, waited [\d.]+ s: IPv4 10\.77\.0\.1 > 10\.77\.0\.2 ICMP echo request id \d+ seq 1, checksums ok`, 2*n-1) +
			`\n0: 4500 0054( [0-9a-f]{4}){6}\n16: 0a4d 0002 0800( [0-9a-f]{4}){5}\n\+ 52 more bytes\n\d+ more queued, 0 dropped`
	}
	return regexp.MustCompile(shape + `$`)
}

// checkTools checks that the model has every tool from its first request on, without a
// search and as the server declares it.
func checkTools(t *testing.T, first ask) {
	t.Helper()
	data, err := os.ReadFile("e2e/testdata/tools-list.json")
	if err != nil {
		t.Fatal(err)
	}
	var declared []struct {
		Name, Description string
		InputSchema       any
	}
	if err := json.Unmarshal(data, &declared); err != nil {
		t.Fatal(err)
	}
	for _, want := range declared {
		found := false
		for _, tool := range first.Tools {
			if tool.Name != "mcp__tun__"+want.Name {
				continue
			}
			found = true
			var schema any
			if err := json.Unmarshal(tool.InputSchema, &schema); err != nil {
				t.Error(err)
			}
			if tool.Description != want.Description || !reflect.DeepEqual(schema, want.InputSchema) {
				t.Errorf("the model got %s as\n%s\n%s", tool.Name, tool.Description, tool.InputSchema)
			}
		}
		if !found {
			t.Errorf("%s is not among the tools of the first request", want.Name)
		}
	}
}

// The checkout as it is shipped, with `go run .` and a plain request. The server's
// instructions tell the model who it is.
func TestClaudeCodeInTheCheckout(t *testing.T) {
	c := newClaude(t, checkout(t), true)
	c.start("answer pings")
	c.reading()
	gone := c.traces()
	if running, err := control.Find(""); err != nil {
		t.Error(err)
	} else if status, err := running.Status(t.Context()); err != nil || !strings.HasPrefix(status.PingWith, "go run . ") {
		t.Errorf("the user is told to ping with %q, %v", status.PingWith, err)
	}
	pings(t, 3)
	if out := c.finished(); !strings.Contains(out, "I answered 3 pings; then: ") || !strings.Contains(out, "no packet in 3000 ms") {
		t.Errorf("claude printed %q", out)
	}
	gone()
	first := c.turns()[0]
	checkTools(t, first.ask)
	instructions := startServer(t, modernEra, "--network", "private").request("server/discover", map[string]any{})
	var discovered struct{ Instructions string }
	if err := json.Unmarshal(instructions, &discovered); err != nil {
		t.Fatal(err)
	}
	told := string(first.ask.System)
	for _, message := range first.ask.Messages {
		told += plain(message.Content)
	}
	if discovered.Instructions == "" || !strings.Contains(told, discovered.Instructions) {
		t.Errorf("the first request should contain all of the server's instructions; got:\n%s", told)
	}
}

// The effect of the committed .claude/settings.json: it counts only after the user has
// trusted the folder, which `claude -p` never asks for. The README says so.
func TestClaudeCodePermissions(t *testing.T) {
	tests := []struct {
		name    string
		trusted bool
		args    []string
		want    string
	}{
		{"trusted", true, nil, "no packet in 100 ms"},
		{"not trusted", false, nil, "haven't granted it"},
		{"not trusted, allowed by flag", false, []string{"--allowedTools", "mcp__tun"}, "no packet in 100 ms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClaude(t, builtProject(t), test.trusted)
			c.model.set(func(m *model) { m.wait = 100 })
			c.start("answer pings", test.args...)
			if out := c.finished(); !strings.Contains(out, test.want) {
				t.Errorf("claude printed %q, want %q in it", out, test.want)
			}
			c.turns()
		})
	}
}

// However Claude Code ends while a read waits, it leaves nothing of the server behind.
func TestClaudeCodeLeavesNothing(t *testing.T) {
	ends := []struct {
		name   string
		signal os.Signal
	}{
		{"SIGINT", os.Interrupt}, // Ctrl-C
		{"SIGTERM", syscall.SIGTERM},
		{"SIGKILL", syscall.SIGKILL},
	}
	projects := []struct {
		name string
		dir  func(*testing.T) string
	}{
		{"binary", builtProject},
		{"go run", checkout},
	}
	for _, project := range projects {
		for _, end := range ends {
			t.Run(project.name+" "+end.name, func(t *testing.T) {
				c := newClaude(t, project.dir(t), true)
				c.start("answer pings")
				c.reading()
				gone := c.traces()
				pings(t, 1) // the answer is a write that then reads
				if err := c.process.Process.Signal(end.signal); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				gone()
				<-c.ended
				t.Logf("all gone after %v", time.Since(start).Round(time.Millisecond))
			})
		}
	}
}
