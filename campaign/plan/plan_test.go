package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const whole = `name: both
agents:
  - {name: right, agent: builtin}
  - {name: opus, agent: claude, model: M, parallel: 2, deadline: 3m}
scenarios: [ping, noise]
assist: [none, fix]
repetitions: 3
seed: 7
count: 4
deadline: 90s
network: memory
limits: {parallel: 8, minutes: 30, cost: 12.5, trial: 10m, wait: 2s}
`

func TestParse(t *testing.T) {
	p, err := Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	cells := p.Cells()
	if len(cells) != 2*2*2*3 || len(cells) != p.Size(2) {
		t.Fatalf("%d cells, want 24", len(cells))
	}
	ids := make(map[string]bool)
	for _, c := range cells {
		ids[c.ID] = true
	}
	if len(ids) != len(cells) {
		t.Errorf("%d different ids for %d cells", len(ids), len(cells))
	}
	last := cells[len(cells)-1]
	want := []string{"trial", "noise", "--agent", "claude", "--assist", "fix", "--seed", "9", "--count", "4", "--model", "M", "--network", "memory", "--deadline", "3m0s"}
	if last.ID != "opus_noise_fix_3" || !slices.Equal(last.Args, want) || last.Longest != 10*time.Minute || last.Wait != 2*time.Second {
		t.Errorf("the last cell is %+v, want the arguments %q", last, want)
	}
	if got := cells[0].Args; got[len(got)-1] != "1m30s" {
		t.Errorf("an agent without a deadline has %q, want the plan's", got)
	}
	if p.Agents[0].Parallel != 8 || p.Agents[1].Parallel != 2 {
		t.Errorf("parallel %d and %d, want 8 and 2", p.Agents[0].Parallel, p.Agents[1].Parallel)
	}
}

func TestParseRefuses(t *testing.T) {
	const builtin = "agents: [{name: a, agent: builtin}]\n"
	for plan, want := range map[string]string{
		"":                                                        "the file is empty",
		"agents: []\n":                                            "agents: the list is missing or empty",
		builtin + "scenarois: [ping]\n":                           `line 2: unknown key "scenarois"; the keys here are name, agents, scenarios`,
		builtin + "limits:\n  paralel: 3\n":                       `line 3: unknown key "paralel"; the keys here are parallel, minutes`,
		"agents:\n  - name: a\n    agnet: b\n":                    `line 3: unknown key "agnet"`,
		builtin + "scenarios: ping\n":                             "line 2: a list is expected here",
		builtin + "count: many\n":                                 "line 2: cannot unmarshal",
		builtin + "count: 10001\n":                                "line 2: count: 10001: accepted are 1 to 10000",
		builtin + "repetitions: -1\n":                             "line 2: repetitions: -1",
		builtin + "deadline: soon\n":                              `line 2: "soon" is not a duration`,
		builtin + "deadline: -2s\n":                               `line 2: "-2s" is not a duration`,
		builtin + "deadline: 9ms\n":                               "line 2: deadline: 9ms: accepted is 10ms or more",
		builtin + "interval: 500us\n":                             "line 2: interval: 500µs: accepted is 1ms or more",
		"agents:\n- {name: a, agent: builtin, interval: 1us}\n":   "line 2: interval: 1µs: accepted is 1ms or more",
		builtin + "limits: {cost: .nan}\n":                        "line 2: limits.cost",
		builtin + "assist: [much]\n":                              `line 2: assist: "much": accepted are none, check, fix`,
		"agents: [{name: a, agent: claude, model: --x}]\n":        `line 1: model: "--x": accepted are`,
		"agents:\n- {name: a, agent: claude, model: \"a\\nb\"}\n": `line 2: model: "a\nb": accepted are`,
		builtin + "network: host\n":                               "line 2: network",
		builtin + "scenarios: [ping, ping]\n":                     "line 2: scenarios: ping is listed twice",
		builtin + "name: a b\n":                                   "line 2: name",
		builtin + "count: 1\ncount: 2\n":                          "already defined at line 2",
		builtin + "---\n" + builtin:                               "more than one YAML document",
		"agents: &x [{name: a, agent: builtin}]\nscenarios: *x\n": "line 2: YAML aliases",
		"agents:\n  - {name: a, agent: builtin}\n  - {name: A, agent: builtin}\n": "line 3: name: two agents are named",
		"agents:\n  - {name: a, agent: running}\n":                                "line 2: agent: running: a campaign starts its agents itself",
		"agents:\n  - {name: a, agent: sometool}\n":                               "{config} or {server}",
		"agents:\n  - {name: a_b, agent: builtin}\n":                              "line 2: name",
		"agents:\n  - {name: a, agent: builtin, model: M}\n":                      "line 2: model",
		"agents:\n  - {name: a, agent: claude, mistake: lost}\n":                  "line 2: mistake",
		"agents:\n  - {name: a, agent: builtin, parallel: 20000}\n":               "line 2: parallel",
		"agents:\n  - {name: a, agent: handler}\n":                                "line 2: agent: handler needs the program's file",
		"agents:\n  - {name: a, agent: builtin, handler: a.star}\n":               "line 2: handler: it is only for agent: handler",
		"agents:\n  - {name: a, agent: builtin, \"-\": a.star}\n":                 `unknown key "-"; the keys here are name, agent, model, handler, mistake`,
		"agents:\n  - {name: a}\n":                                                `agent "a" has no agent`,
		"agents: [\n":                                                             "line",
	} {
		if _, err := Parse([]byte(plan)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want one with %q", plan, err, want)
		}
	}
}

// Only the limits may change between two starts.
func TestHash(t *testing.T) {
	hash := func(text string) string {
		p, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return p.Hash()
	}
	is := hash(whole)
	for _, same := range []string{
		strings.Replace(whole, "cost: 12.5", "cost: 99", 1), strings.Replace(whole, "parallel: 2", "parallel: 3", 1), whole + "# a word\n",
	} {
		if hash(same) != is {
			t.Errorf("Hash differs for a plan that differs only in its limits:\n%s", same)
		}
	}
	for _, other := range []string{
		strings.Replace(whole, "seed: 7", "seed: 8", 1), strings.Replace(whole, "model: M", "model: N", 1), strings.Replace(whole, "[ping, noise]", "[ping]", 1),
		strings.Replace(whole, "deadline: 3m", "deadline: 4m", 1),
	} {
		if hash(other) == is {
			t.Errorf("Hash is the same for another plan:\n%s", other)
		}
	}
}

func TestChoose(t *testing.T) {
	p, err := Parse([]byte("agents: [{name: a, agent: builtin}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Choose([]string{"ping", "dns"}); err != nil || len(p.Cells()) != 2 {
		t.Errorf("%v, %d cells, want all scenarios", err, len(p.Cells()))
	}
	p.Scenarios = []string{"pong"}
	if err := p.Choose([]string{"ping", "dns"}); err == nil || !strings.Contains(err.Error(), `there is no "pong"; tun-mcp trial has ping, dns`) {
		t.Errorf("the error is %v", err)
	}
}

func TestLoadNamesByFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "20 models!.yaml")
	if err := os.WriteFile(path, []byte("agents: [{name: a, agent: builtin}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := Load(path); err != nil || p.Name != "20-models" {
		t.Errorf("%+v, %v", p, err)
	}
}

// Load reads a handler's program, which is part of the plan.
func TestLoadReadsHandlers(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("p.yaml", "agents: [{name: h, agent: handler, handler: programs/tcp.star}]\nscenarios: [ping]\n")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "agent h: handler: ") || !strings.Contains(err.Error(), "relative to the plan's folder") {
		t.Errorf("without the file: %v", err)
	}
	if err := os.Mkdir(filepath.Join(folder, "programs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "programs", "tcp.star"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("with a folder in place of the file: %v", err)
	}
	if err := os.Remove(filepath.Join(folder, "programs", "tcp.star")); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"": "is empty", strings.Repeat("#", maxHandlerBytes+1): "is longer than 64 KiB"} {
		write("programs/tcp.star", text)
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a file of %d bytes: %v, want %q", len(text), err, want)
		}
	}
	write("programs/tcp.star", "one")
	one, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if cell := one.Cells()[0]; cell.Handler != "tcp.star" || cell.Args[3] != "handler" || one.Agents[0].Source != "one" {
		t.Errorf("%+v of %+v", cell, one.Agents[0])
	}
	if e := Guess(one, nil); e.NoCost || e.Agents[0].Trial != computedTrial {
		t.Errorf("the estimate takes a handler for a model: %+v", e)
	}
	write("programs/tcp.star", "two")
	if two, err := Load(path); err != nil || two.Hash() == one.Hash() {
		t.Errorf("Hash is the same with another handler: %v", err)
	}
}

func TestGuess(t *testing.T) {
	p, err := Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	e := Guess(p, []Measured{{Agent: "opus", Took: time.Minute, HasCost: true, Cost: 0.5}, {Agent: "opus", Took: 3 * time.Minute, HasCost: true, Cost: 1.5}})
	// Each agent has 12 cells. opus takes 2 minutes and $1 on average, with 2 at once.
	if e.Together != 12*time.Minute || e.Cost != 12 || e.NoCost || e.Agents[1].From != "measured" || e.Agents[0].From != "assumed" {
		t.Errorf("%+v", e)
	}
	if e := Guess(p, nil); !e.NoCost || e.Together != 6*(modelStart+4*modelRequest) {
		t.Errorf("without figures: %+v", e)
	}
}
