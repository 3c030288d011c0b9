package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// tcp.star alone passes every scenario, at every assist level.
func TestTrialOfAHandler(t *testing.T) {
	t.Parallel()
	networks(t, func(t *testing.T, network string) {
		t.Parallel()
		report, out, status := runTrialCommand(t, "--network", network, "--assist", "none", "--agent", "handler", "--handler", "examples/handlers/tcp.star")
		if status != 0 || report.Total.Right != report.Total.Sent || len(report.Scenarios) != len(scenario.All()) {
			t.Fatalf("exit status %d\n%s", status, out)
		}
		h := report.Handler
		if h == nil || h.Versions != 1 || h.First != 0 || h.Chars < 10000 || h.Failed != 0 || h.Dropped == 0 ||
			h.Writes < h.Answered || h.Answered < report.Total.Right/2 || report.Total.ByHandler != report.Total.Writes {
			t.Errorf("%+v, %+v", h, report.Total)
		}
		if !strings.Contains(strings.Join(strings.Fields(out), " "), "the agent wrote 0; 1 version, installed from the start") {
			t.Errorf("the table does not say who answered:\n%s", out)
		}
	})
}

// Packets that a handler passes on are lost if there is no agent. The later scenarios
// still run.
func TestTrialOfAHandlerThatKnowsNoTCP(t *testing.T) {
	t.Parallel()
	report, out, status := runTrialCommand(t, "--network", "memory", "--count", "2", "--deadline", "3s",
		"--agent", "handler", "--handler", "examples/handlers/host.star", "tcp-connect", "ping", "udp-echo", "http")
	if status != 1 {
		t.Fatalf("exit status %d\n%s", status, out)
	}
	for _, s := range report.Scenarios {
		if want := slices.Contains([]string{"ping", "udp-echo"}, s.Scenario); s.Skipped || s.Passed != want {
			t.Errorf("%s: passed %v, %s", s.Scenario, s.Passed, s.Reason)
		}
	}
}

// An agent under test can install a handler only if the trial allows it. The report
// says when it did, and who answered.
func TestTrialOfAnAgentWithHandlers(t *testing.T) {
	t.Parallel()
	for _, handlers := range []string{"off", "on"} {
		t.Run(handlers, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "report.json")
			deadline := "500ms" // nothing is answered
			if handlers == "on" {
				deadline = "3s" // room for a busy machine
			}
			command := exec.Command(program, "trial", "ping", "--agent", "served", "--handlers", handlers,
				"--network", "memory", "--count", "5", "--deadline", deadline, "--json", path)
			c := startProgram(t, legacyEra, command)
			source, err := os.ReadFile("examples/handlers/host.star")
			if err != nil {
				t.Fatal(err)
			}
			arguments, err := json.Marshal(map[string]string{"source": string(source)})
			if err != nil {
				t.Fatal(err)
			}
			c.tool("read_packet", `{"timeout_ms": 30000}`) // the trial begins with this read, and the first ping ends it
			if offered := strings.Contains(string(c.request("tools/list", map[string]any{})), "install_handler"); offered != (handlers == "on") {
				t.Fatalf("install_handler is offered: %v", offered)
			}
			var text string
			if handlers == "on" {
				var failed bool
				if text, failed = c.tool("install_handler", string(arguments)); failed {
					t.Fatal(text)
				}
			}
			for range 20 {
				if text, _ = c.tool("read_packet", `{"timeout_ms": 10000}`); strings.Contains(text, "the trial is over") {
					break
				}
			}
			found, err := score.Load(path)
			if err != nil {
				t.Fatalf("%v; the last read: %s", err, text)
			}
			h := found.Handler
			switch {
			case handlers == "off" && (h != nil || found.Total.Right > 0):
				t.Errorf("%+v, %+v", h, found.Total)
			case handlers == "on" && (h == nil || h.Versions != 1 || h.First <= 0 || h.Answered == 0 || h.Chars < 5000 ||
				found.Total.Right != h.Answered || found.Total.ByHandler != h.Writes):
				t.Errorf("%+v, %+v", h, found.Total)
			}
		})
	}
}
