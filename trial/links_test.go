package trial

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// If the session's agent does not read yet, the trial says at once what it is waiting
// for.
func TestJoinSaysWhatItWaitsFor(t *testing.T) {
	agent := runningSubject(t, nil)
	agent.Patience = 20 * time.Millisecond
	var said bytes.Buffer
	o := Options{Progress: report.NewProgress(&said, 0)}
	if err := o.join(trialtest.Soon(t), agent, choose(t, "ping")); err == nil || !strings.HasPrefix(err.Error(), "the agent did not read from the link in 20ms: make it call read_packet") {
		t.Error(err)
	}
	if want := "waiting up to 20ms for the agent of session test to call read_packet; Ctrl-C stops\n"; said.String() != want {
		t.Errorf("%q, want %q", &said, want)
	}
}

// A trial does not wait for the agent of a session in which nothing can run.
func TestJoinDoesNotWaitForNothing(t *testing.T) {
	agent := runningSubject(t, nil) // without IPv6
	agent.Patience = time.Hour
	if err := new(Options).join(trialtest.Soon(t), agent, choose(t, "ping6")); err != nil {
		t.Error(err)
	}
	agent.Status.Network = "host"
	if err := new(Options).join(trialtest.Soon(t), agent, choose(t, "ping")); err == nil || !strings.Contains(err.Error(), "on this machine's own network") {
		t.Error(err)
	}
}

// choose returns one cell with the scenario of that name.
func choose(t *testing.T, name string) []cell {
	t.Helper()
	chosen, err := scenario.Choose([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	return []cell{{chosen[0], 1}}
}

// runningSubject returns the agent of a session in memory. It calls play for each
// packet; with nil it never reads.
func runningSubject(t *testing.T, play func(s *session.Session, p session.Delivered)) *subject.Subject {
	t.Helper()
	client := trialtest.Open(t, tun.Config{}, play)
	agent, err := subject.Start(t.Context(), subject.Config{Agent: score.Agent{Kind: subject.Running}, Session: client.Name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.End(context.Background()) })
	return agent
}

// A trial of all scenarios in a running session runs those that the link allows, lists
// the others with the reason, and passes. A scenario named by the user has to run.
func TestEveryScenarioOfARunningSession(t *testing.T) {
	for _, every := range []bool{true, false} {
		client := trialtest.Open(t, tun.Config{}, func(s *session.Session, p session.Delivered) { trialtest.Reply(s, p, 0) })
		chosen, err := scenario.Choose([]string{"ping", "ping6", "loss"})
		if err != nil {
			t.Fatal(err)
		}
		found, err := Run(trialtest.Soon(t), Options{Scenarios: chosen, Every: every, Agent: score.Agent{Kind: subject.Running}, Session: client.Name,
			Settings: score.Settings{Count: 3, Interval: 1, Deadline: 5000}})
		if err != nil {
			t.Fatal(err)
		}
		if found.Passed() != every || found.Reward != 1 {
			t.Errorf("every %t: passed %t, reward %v", every, found.Passed(), found.Reward)
		}
		for i, want := range []string{"", "IPv6 is off", "needs its own link"} {
			if r := found.Scenarios[i]; !strings.Contains(r.Reason, want) || r.Passed != (want == "") || r.Skipped == r.Passed {
				t.Errorf("%s: passed %t, skipped %t: %s", r.Scenario, r.Passed, r.Skipped, r.Reason)
			}
		}
	}
}
