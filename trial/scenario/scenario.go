// Package scenario holds the scenarios of a trial, one file each: the traffic, and what
// counts as right. docs/add-a-scenario.md shows how to add one.
package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// A Scenario is one kind of traffic and what counts as right for it.
type Scenario struct {
	Name   string
	About  string // what it sends
	RFC    string // the RFCs and sections that it tests
	Expect string // what counts as right

	Program bool   // judged by what a client program sees, not by echo replies
	IPv6    bool   // needs IPv6 on the link
	Impair  string // if not empty, needs its own link with this --impair

	// CannotRun returns the reason why the scenario cannot run on a link, or "" if it
	// can. Nil means that it runs on any link.
	CannotRun func(session.Status) string

	// Run sends the traffic, waits for the answers, and returns the requests that it
	// sent. An error means that it could not send all of them.
	Run func(ctx context.Context, p *traffic.Peer) ([]judge.Request, error)

	// Judge returns one exchange for each request, in order. The duration is the
	// deadline for answers.
	Judge func([]judge.Request, []session.Event, time.Duration) []score.Exchange

	// Requests returns how many requests that count it sends for this --count. Nil
	// means exactly --count.
	Requests func(count int) int

	// Counts reports whether an exchange counts towards the verdict. Nil means that all
	// do.
	Counts func(score.Exchange) bool

	// Note returns a further finding as one line, or "". Nil means that there is none.
	Note func([]score.Exchange) string
}

// Echo reports whether the scenario sends only pings and noise.
func (s Scenario) Echo() bool { return !s.Program }

// All returns all scenarios in the order in which they run.
func All() []Scenario {
	return []Scenario{
		ping(), load(), sizes(), noise(), ping6(), fragments(), reassembly(),
		unreachable(), traceroute(), udpEcho(), checksum(), dnsLookup(),
		tcpConnect(), tcpEcho(), httpGet(), lossy(),
	}
}

// Unfit returns the reason why the scenario cannot run on a link, or "" if it can.
func (s Scenario) Unfit(status session.Status) string {
	switch {
	case s.IPv6 && status.Agent6 == "":
		return "IPv6 is off in this session: start its server with --addr6"
	case s.CannotRun != nil:
		return s.CannotRun(status)
	}
	return ""
}

// Names lists the scenarios' names, for help and errors.
func Names() string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// Choose returns the scenarios with these names, or all if there are no names.
func Choose(names []string) ([]Scenario, error) {
	all := All()
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

// Failure returns the reason why the exchanges do not pass, or "" if they do: every
// exchange that counts must be right.
func (s Scenario) Failure(exchanges []score.Exchange) string { return allRight(s.counted(exchanges)) }

// Scored sets the reward of r. count is the trial's --count.
func (s Scenario) Scored(r *score.Result, count int) {
	counted, right := s.counted(r.Exchanges), 0
	for _, e := range counted {
		if e.Outcome == score.Right {
			right++
		}
	}
	if s.Requests != nil {
		count = s.Requests(count)
	}
	r.Scored(right, len(counted), count)
}

// MarkProbes marks the exchanges that do not count.
func (s Scenario) MarkProbes(exchanges []score.Exchange) {
	for i, e := range exchanges {
		exchanges[i].Probe = s.Counts != nil && !s.Counts(e)
	}
}

func (s Scenario) counted(exchanges []score.Exchange) []score.Exchange {
	if s.Counts == nil {
		return exchanges
	}
	return slices.DeleteFunc(slices.Clone(exchanges), func(e score.Exchange) bool { return !s.Counts(e) })
}

// allRight returns up to three exchanges that are not right, or "" if all are.
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
