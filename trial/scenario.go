// Package trial is the experiment: it sends real traffic to an agent, scenario
// by scenario, and has what comes back judged and scored.
package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A Scenario is one kind of traffic and what counts as right for it. Each
// stands in a file of its own.
type Scenario struct {
	Name   string
	About  string // what is sent
	RFC    string // what it rests on
	Expect string // what counts as right

	Program bool   // judged by what a client program sees, not by echo replies
	IPv6    bool   // needs IPv6 on the link
	Impair  string // needs a link of its own with this --impair

	// Unfit says why it cannot run on a link, "" if it can. Nil: it can on any.
	Unfit func(session.Status) string

	// Run sends the traffic, waits for what comes back, and says what was
	// asked. Its error means that the traffic could not be sent at all.
	Run func(ctx context.Context, f *Field) ([]judge.Request, error)

	// Judge says what came of each request.
	Judge func([]judge.Request, []session.Event, time.Duration) []score.Exchange

	// Met says why the result does not pass, "" if it does. Nil: every
	// exchange has to be right.
	Met func([]score.Exchange) string

	// Note says in a line what else was found, "" if nothing. Nil: nothing.
	Note func([]score.Exchange) string
}

// Echo tells whether the scenario sends nothing but pings, and noise.
func (s Scenario) Echo() bool { return !s.Program }

// Scenarios returns all scenarios in the order they run.
func Scenarios() []Scenario {
	return []Scenario{
		ping(), load(), sizes(), noise(), ping6(), fragments(),
		unreachable(), traceroute(), udpEcho(), dnsLookup(),
		tcpConnect(), tcpEcho(), httpGet(), lossy(),
	}
}

// unfit says why the scenario cannot run on a link, "" if it can.
func (s Scenario) unfit(status session.Status) string {
	switch {
	case s.IPv6 && status.Agent6 == "":
		return "IPv6 is off in this session: start its server with --addr6"
	case s.Unfit != nil:
		return s.Unfit(status)
	}
	return ""
}

// Names lists the scenarios' names, for help and errors.
func Names() string {
	var names []string
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// Choose returns the scenarios of these names, or all without any.
func Choose(names []string) ([]Scenario, error) {
	all := Scenarios()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []Scenario
	for _, name := range names {
		i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scenario %q; there are: %s", name, Names())
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// allRight is what Met means when it is nil.
func allRight(exchanges []score.Exchange) string {
	var wrong []string
	for _, e := range exchanges {
		if e.Outcome != score.Right {
			wrong = append(wrong, fmt.Sprintf("%s: %s", e.Name, outcome(e)))
		}
	}
	switch {
	case len(exchanges) == 0:
		return "nothing was sent"
	case len(wrong) == 0:
		return ""
	case len(wrong) > 3:
		wrong = append(wrong[:3], fmt.Sprintf("and %d more", len(wrong)-3))
	}
	return strings.Join(wrong, "; ")
}

func outcome(e score.Exchange) string {
	if e.Detail != "" {
		return e.Outcome + " (" + e.Detail + ")"
	}
	return e.Outcome
}
