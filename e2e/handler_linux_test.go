package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

const pingStar = "examples/handlers/ping.star"

// installArguments returns the arguments of install_handler for a program in a file.
func installArguments(t *testing.T, path string) string {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	arguments, err := json.Marshal(map[string]string{"source": string(source)})
	if err != nil {
		t.Fatal(err)
	}
	return string(arguments)
}

// The kernel pings a handler with small and fragmented pings, as fast as it can. Other
// packets still reach the agent, and the recording says who answered.
func TestHandlerAnswersTheKernel(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	tuntest.RequireProgram(t, "bash")
	record := filepath.Join(t.TempDir(), "link.pcapng")
	c := startServer(t, modernEra, "--network", "private", "--record", record)
	if text, failed := c.tool("install_handler", installArguments(t, pingStar)); failed || !strings.HasPrefix(text, "handler version 1 is installed, ") {
		t.Fatal(text)
	}
	for _, arguments := range [][]string{{"-c", "3", "-i", "0.01"}, {"-c", "2", "-i", "0.01", "-s", "3000"}, {"-c", "1", "-s", "65507"}, {"-f", "-c", "10000"}} {
		out, err := c.command(append([]string{"exec", "--", "ping", "-q", "-W", "30"}, append(arguments, "10.77.0.2")...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), " 0% packet loss") {
			t.Fatalf("ping %q: %v\n%s", arguments, err, out)
		}
	}
	if out, err := c.command("exec", "--", "bash", "-c", "echo hello >/dev/udp/10.77.0.2/7").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if text, failed := c.tool("read_packet", `{"timeout_ms": 30000}`); failed || !strings.Contains(text, "10.77.0.2:7 UDP len 6, checksums ok") {
		t.Errorf("the agent reads %s", text)
	}
	shown := toolResource(t, c, "tun://handler")
	if !regexp.MustCompile(`^handler version 1 is installed\n\d+ packets seen: \d+ answered, \d+ dropped, 1 passed on to you, 0 failed; \d+ packets written\n`).MatchString(shown) {
		t.Errorf("tun://handler:\n%s", shown)
	}
	until(t, "the recording", func() bool {
		data, err := os.ReadFile(record)
		return err == nil && strings.Contains(string(data), "s, by the handler")
	})
}

// toolResource reads a resource.
func toolResource(t *testing.T, c *client, uri string) string {
	t.Helper()
	var r struct{ Contents []struct{ Text string } }
	if err := json.Unmarshal(c.request("resources/read", map[string]any{"uri": uri}), &r); err != nil || len(r.Contents) != 1 {
		t.Fatalf("%s: %+v, %v", uri, r, err)
	}
	return r.Contents[0].Text
}

// Handlers that try to take the server down: it keeps running and grows by at most 100
// MiB, and the agent gets the packets with the reason.
func TestHandlerCannotTakeTheServerDown(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	c := startServer(t, modernEra, "--network", "private")
	c.tool("read_packet", `{"timeout_ms": 0}`)
	before := rss(t, c.process.Process.Pid)
	for i, program := range []string{
		"def handle(p):\n  for i in range(1 << 60):\n    pass",
		"def handle(p):\n  return 'x' * (1 << 30)",
		"def handle(p):\n  s = 'x'\n  for i in range(60):\n    s = s + s",
		"def handle(p):\n  l = []\n  for i in range(1 << 60):\n    l.append({})",
		"def handle(p):\n  state[len(state)] = 'x' * 1000000\n  return []",
		"def handle(p):\n  return [p] * 10000",
		"def handle(p):\n  return []\ndef tick(ms):\n  for i in range(1 << 60):\n    pass",
	} {
		arguments, err := json.Marshal(map[string]string{"source": program})
		if err != nil {
			t.Fatal(err)
		}
		if text, failed := c.tool("install_handler", string(arguments)); failed {
			t.Fatal(text)
		}
		if out, _ := c.command("exec", "--", "ping", "-q", "-f", "-w", "1", "10.77.0.2").CombinedOutput(); !strings.Contains(string(out), "0 received") {
			t.Errorf("program %d: %s", i, out)
		}
		told := ""
		until(t, fmt.Sprintf("the end of program %d", i), func() bool {
			told, _ = c.tool("install_handler", `{}`)
			return strings.Contains(told, "taken out after 10 failures in a row")
		})
		text, failed := c.tool("read_packet", `{"timeout_ms": 0, "max_packets": 64}`)
		if failed || !strings.Contains(text, fmt.Sprintf("Your handler (version %d) was taken out after 10 failures in a row", i+1)) {
			t.Errorf("program %d: the agent reads\n%.2000s", i, text)
		}
		if grown := rss(t, c.process.Process.Pid) - before; grown > 100 {
			t.Errorf("program %d: the server has grown by %.0f MiB", i, grown)
		}
	}
}

// rss returns the peak resident memory of a process, in MiB.
func rss(t *testing.T, pid int) float64 {
	t.Helper()
	return float64(processStatus(t, pid, "VmHWM")) / 1024
}

// With --handlers off, an agent sees nothing of handlers. A handler that the user
// installs still works.
func TestHandlersOff(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory", "--handlers", "off", "--handler", pingStar)
	for _, list := range []string{"tools/list", "prompts/list", "resources/list"} {
		if answer := string(c.request(list, map[string]any{})); strings.Contains(answer, "handler") {
			t.Errorf("%s: %s", list, answer)
		}
	}
	out, err := c.command("ping", "-q", "-c", "3", "-i", "0.01").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "3 received") {
		t.Errorf("ping: %v\n%s", err, out)
	}
}

// Claude Code with a scripted model: it answers three pings by hand and installs a
// handler, which answers 10,000. Then it answers a UDP datagram by hand, because the
// handler passes it on.
func TestClaudeCodeInstallsAHandler(t *testing.T) {
	c := newClaude(t, builtProject(t), true)
	tuntest.RequireProgram(t, "bash")
	install := installArguments(t, pingStar)
	installed := make(chan struct{})
	const read = `{"timeout_ms":90000,"max_packets":1,"settle_ms":0,"max_bytes":64}`
	hand := scripted{batch: 1}
	udp := regexp.MustCompile(`#(\d+) \d+ bytes, waited [\d.]+ s: IPv4 [\d.]+:(\d+) > [\d.]+:7 UDP len 6, checksums ok`)
	c.model.set(func(m *model) {
		m.moves = func(result string) speech {
			if found := udp.FindStringSubmatch(result); found != nil {
				return speech{tool: "mcp__tun__write_packet", arguments: `{"packets":[{"reply_to":` + found[1] + `,"patch":{"12":"@16+4 @12+4","20":"@22+2 @20+2"}}]}`}
			}
			replies := hand.replies(result)
			switch {
			case result == "":
				return speech{tool: "mcp__tun__read_packet", arguments: read}
			case replies != "" && hand.answered < 3:
				return speech{tool: "mcp__tun__write_packet", arguments: `{"packets":[` + replies + `],"then_read":` + read + `}`}
			case replies != "":
				return speech{tool: "mcp__tun__write_packet", arguments: `{"packets":[` + replies + `]}`}
			case strings.Contains(result, "handler version 1 is installed"):
				close(installed)
				return speech{tool: "mcp__tun__read_packet", arguments: read}
			case strings.Contains(result, "ICMP echo reply"):
				return speech{tool: "mcp__tun__install_handler", arguments: install}
			}
			return speech{text: fmt.Sprintf("I answered %d pings by hand; then: %s", hand.answered, result)}
		}
	})
	c.start("/mcp__tun__write-handler")
	c.reading()
	pings(t, 3)
	select {
	case <-installed:
	case <-c.ended:
		t.Fatalf("claude ended: %s", c.said())
	}
	out, err := exec.Command(program, "exec", "--", "ping", "-q", "-f", "-c", "10000", "10.77.0.2").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "10000 received") {
		t.Fatalf("ping: %v\n%s", err, out)
	}
	out, err = exec.Command(program, "exec", "--", "bash", "-c", "exec 3<>/dev/udp/10.77.0.2/7; echo hello >&3; read -n 1 -t 60 -u 3 letter; echo got $letter").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "got h") {
		t.Errorf("UDP: %v\n%s", err, out)
	}
	if said := c.finished(); !strings.Contains(said, "I answered 3 pings by hand") || !strings.Contains(said, "UDP") {
		t.Errorf("claude printed %q", said)
	}
}
