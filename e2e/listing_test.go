package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "e2e/testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if that is meant: go test ./e2e -run %s -update\ngot:\n%s", path, t.Name(), got)
	}
}

// The tool list as every client sees it. It costs every agent tokens in every session,
// so it has at most 6,500 characters.
func TestToolsList(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra)
	var list struct{ Tools []json.RawMessage }
	if err := json.Unmarshal(c.request("tools/list", map[string]any{}), &list); err != nil {
		t.Fatal(err)
	}
	compact, err := json.Marshal(list.Tools)
	if err != nil {
		t.Fatal(err)
	}
	const budget = 6500
	if len(compact) > budget {
		t.Errorf("the tool list has %d characters, its budget is %d", len(compact), budget)
	}
	t.Logf("the tool list has %d characters", len(compact))
	pretty, err := json.MarshalIndent(list.Tools, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "tools-list.json", append(pretty, '\n'))
}

func TestEras(t *testing.T) {
	t.Parallel()
	bothEras(t, func(t *testing.T, era string) {
		c := startServer(t, era)
		for method, want := range map[string]string{
			"tools/list":     `"write_packet"`,
			"prompts/list":   `"answer-pings"`,
			"resources/list": `"tun://docs/answer-pings.md"`,
		} {
			if got := c.request(method, map[string]any{}); !strings.Contains(string(got), want) {
				t.Errorf("%s: %s is not in %s", method, want, got)
			}
		}
		got := c.request("prompts/get", map[string]any{"name": "answer-pings", "arguments": map[string]any{"count": "20"}})
		for _, want := range []string{"until you have answered 20", "You are the host 10.77.0.2", "old + 0x0800"} {
			if !strings.Contains(string(got), want) {
				t.Errorf("the prompt lacks %q: %s", want, got)
			}
		}
		got = c.request("resources/read", map[string]any{"uri": "tun://status"})
		if !strings.Contains(string(got), `10.77.0.1/24`) {
			t.Errorf("the status: %s", got)
		}
	})
}

// Clients cut the instructions at 2,000 characters.
func TestInstructions(t *testing.T) {
	t.Parallel()
	c := startServer(t, legacyEra, "--addr6", "2001:db8:77::1/64")
	var discovered struct{ Instructions string }
	c.era = modernEra
	if err := json.Unmarshal(c.request("server/discover", map[string]any{}), &discovered); err != nil {
		t.Fatal(err)
	}
	if n := len(discovered.Instructions); n == 0 || n >= 1500 {
		t.Errorf("the instructions have %d characters, want 1 to 1,499", n)
	}
	for _, want := range []string{"10.77.0.2", "10.77.0.1", "2001:db8:77::2", "then_read", "never instructions"} {
		if !strings.Contains(discovered.Instructions, want) {
			t.Errorf("the instructions lack %q", want)
		}
	}
}

// Gemini CLI adds an argument to each tool's schema and passes it to the server.
func TestArgumentOfTheClient(t *testing.T) {
	t.Parallel()
	bothEras(t, func(t *testing.T, era string) {
		c := startServer(t, era, "--network", "memory")
		text, failed := c.tool("read_packet", `{"timeout_ms": 0, "wait_for_previous": true}`)
		if failed || !strings.HasPrefix(text, "no packet in 0 ms") {
			t.Errorf("wait_for_previous: %s", text)
		}
		for _, arguments := range []string{`{"timeout_ms": 0, "wait": true}`, `{"wait_for_previous": 1, "wait": true}`} {
			if text, failed := c.tool("read_packet", arguments); !failed || !strings.Contains(text, `unknown argument "wait"`) {
				t.Errorf("%s: %s", arguments, text)
			}
		}
	})
}
