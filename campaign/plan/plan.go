// Package plan reads a campaign's plan and lists its cells, the trials to run.
package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxPlanBytes is the largest plan file accepted.
const maxPlanBytes = 1 << 20

// MaxCells is the largest number of cells accepted in a plan.
const MaxCells = 1_000_000

// Plan is what a campaign runs: every agent plays every scenario at every
// assist level, Repetitions times.
type Plan struct {
	Name        string   `yaml:"name"`        // letters, digits and hyphens; default: the file's name
	Agents      []Agent  `yaml:"agents"`      // at least one
	Scenarios   []string `yaml:"scenarios"`   // default: all scenarios of tun-mcp trial
	Assist      []string `yaml:"assist"`      // default: fix
	Repetitions int      `yaml:"repetitions"` // default: 1; each has its own seed
	Seed        uint64   `yaml:"seed"`        // of the first repetition; default: 1
	Count       int      `yaml:"count"`       // requests in each scenario; default: 10
	Deadline    Duration `yaml:"deadline"`    // default: the default of tun-mcp trial
	Interval    Duration `yaml:"interval"`    // default: the default of tun-mcp trial
	Network     string   `yaml:"network"`     // auto, private, memory; default: auto
	Limits      Limits   `yaml:"limits"`
}

// Limits are a campaign's limits. They may change between two starts.
type Limits struct {
	Parallel int      `yaml:"parallel"` // trials of each agent at once, over all machines; default: 4
	Minutes  float64  `yaml:"minutes"`  // of running time, over all starts; 0 means no limit
	Cost     float64  `yaml:"cost"`     // dollars, as the clients report them; 0 means no limit
	Trial    Duration `yaml:"trial"`    // longest time of one trial; default: 30m
	Wait     Duration `yaml:"wait"`     // before the first retry; default: 10s
}

// Duration is a duration written as 90s or 2m. It must be more than 0.
type Duration time.Duration

// UnmarshalYAML parses a duration as time.ParseDuration does.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	if err != nil || node.Kind != yaml.ScalarNode || parsed <= 0 {
		return fmt.Errorf("line %d: %q is not a duration; accepted are durations such as 500ms, 90s, 2m", node.Line, node.Value)
	}
	*d = Duration(parsed)
	return nil
}

func (d Duration) String() string { return time.Duration(d).String() }

// Load reads a plan file of up to 1 MiB and the handlers that it names. A plan
// without a name is named after its file.
func Load(path string) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPlanBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the plan: %w", err)
	case len(data) > maxPlanBytes:
		return nil, fmt.Errorf("reading the plan %s: it is longer than %d KiB", path, maxPlanBytes>>10)
	}
	p, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", path, err)
	}
	if p.Name == "" {
		p.Name = nameOf(path)
	}
	for i := range p.Agents {
		if err := p.Agents[i].readHandler(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("plan %s: %w", path, err)
		}
	}
	return p, nil
}

// nameOf makes a plan's name from its file's name.
func nameOf(path string) string {
	base := filepath.Base(path)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	name := strings.Trim(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(base, "-"), "-")
	return cmp.Or(name[:min(len(name), 40)], "campaign")
}

// Parse parses a plan and fills in the defaults. Unknown keys, values of the wrong
// type and values out of bounds are errors that name the line.
func Parse(data []byte) (*Plan, error) {
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; a plan needs at least agents")
	} else if err != nil {
		return nil, reword(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one YAML document; a plan is a single one")
	}
	if err := checkKeys(&root, new(Plan)); err != nil {
		return nil, err
	}
	p := new(Plan)
	if err := root.Decode(p); err != nil {
		return nil, reword(err)
	}
	p.fill()
	if err := p.check(&root); err != nil {
		return nil, err
	}
	return p, nil
}

// reword removes the YAML package's name from its errors.
func reword(err error) error {
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok {
		return errors.New(strings.Join(typed.Errors, "; "))
	}
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

// fill sets the defaults of what the plan leaves out.
func (p *Plan) fill() {
	if len(p.Assist) == 0 {
		p.Assist = []string{"fix"}
	}
	p.Repetitions = cmp.Or(p.Repetitions, 1)
	p.Seed = cmp.Or(p.Seed, 1)
	p.Count = cmp.Or(p.Count, 10)
	p.Limits.Parallel = cmp.Or(p.Limits.Parallel, 4)
	p.Limits.Trial = cmp.Or(p.Limits.Trial, Duration(30*time.Minute))
	p.Limits.Wait = cmp.Or(p.Limits.Wait, Duration(10*time.Second))
	for i := range p.Agents {
		a := &p.Agents[i]
		a.Parallel = cmp.Or(a.Parallel, p.Limits.Parallel)
		a.Deadline = cmp.Or(a.Deadline, p.Deadline)
		a.Interval = cmp.Or(a.Interval, p.Interval)
	}
}

// named matches the names that an agent and a plan may have. A name becomes part of
// file names and a token of NATS subjects.
var named = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,38}[A-Za-z0-9])?$`)

// check returns an error for the first value out of bounds.
func (p *Plan) check(root *yaml.Node) error {
	if len(p.Agents) == 0 {
		return errors.New("agents: the list is missing or empty; give at least one, such as {name: builtin, agent: builtin}")
	}
	if p.Name != "" && !named.MatchString(p.Name) {
		return at(root, "name")("%q: accepted are 1 to 40 letters, digits and hyphens", p.Name)
	}
	for _, bound := range []struct {
		key       string
		value     float64
		low, high float64
	}{
		{"repetitions", float64(p.Repetitions), 1, 100_000},
		{"count", float64(p.Count), 1, 10_000},
		{"limits.parallel", float64(p.Limits.Parallel), 1, 10_000},
		{"limits.minutes", p.Limits.Minutes, 0, 1e7},
		{"limits.cost", p.Limits.Cost, 0, 1e9},
	} {
		if !(bound.value >= bound.low && bound.value <= bound.high) {
			return at(root, strings.Split(bound.key, ".")...)("%v: accepted are %v to %.0f", bound.value, bound.low, bound.high)
		}
	}
	for _, level := range p.Assist {
		if !slices.Contains([]string{"none", "check", "fix"}, level) {
			return at(root, "assist")("%q: accepted are none, check, fix", level)
		}
	}
	if !slices.Contains([]string{"", "auto", "private", "memory"}, p.Network) {
		return at(root, "network")("%q: accepted are auto, private, memory", p.Network)
	}
	for _, list := range []struct {
		key    string
		values []string
	}{{"scenarios", p.Scenarios}, {"assist", p.Assist}} {
		for i, value := range list.values {
			if slices.Contains(list.values[:i], value) {
				return at(root, list.key)("%s is listed twice", value)
			}
		}
	}
	if err := p.checkAgents(root); err != nil {
		return err
	}
	if cells := p.Size(max(len(p.Scenarios), 1)); cells > MaxCells {
		return fmt.Errorf("the plan has %d cells; accepted are up to %d", cells, MaxCells)
	}
	return nil
}

// Hash returns a hash of the plan without its limits, which may change between two
// starts.
func (p *Plan) Hash() string {
	same := *p
	same.Limits = Limits{}
	same.Agents = slices.Clone(p.Agents)
	for i := range same.Agents {
		same.Agents[i].Parallel = 0
	}
	data, err := json.Marshal(same)
	if err != nil { // cannot happen: a plan has only strings and numbers
		panic(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
