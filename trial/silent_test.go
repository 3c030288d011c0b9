package trial

import (
	"strings"
	"sync"
	"testing"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// A spotter is a writer that calls found when want is written to it.
type spotter struct {
	want  string
	found func()
}

func (s spotter) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.want) {
		s.found()
	}
	return len(b), nil
}

// An agent that pauses fails only the scenario in which it pauses.
func TestAgentThatPaused(t *testing.T) {
	back := make(chan struct{})
	var once sync.Once
	client := trialtest.Open(t, tun.Config{}, func(s *session.Session, p session.Delivered) {
		select {
		case <-back:
		case <-s.Done():
		}
		trialtest.Reply(s, p, 0)
	})
	chosen, err := scenario.Choose([]string{"ping", "load"})
	if err != nil {
		t.Fatal(err)
	}
	progress := report.NewProgress(spotter{"the next scenario begins when it reads again", func() { once.Do(func() { close(back) }) }}, 0)
	found, err := Run(trialtest.Soon(t), Options{Scenarios: chosen, Agent: score.Agent{Kind: subject.Running}, Session: client.Name, Progress: progress,
		Settings: score.Settings{Count: 5, Interval: 1, Deadline: 500}})
	if err != nil {
		t.Fatal(err)
	}
	if first := found.Scenarios[0]; first.Passed || first.Reason != "the agent has stopped reading: it left 3 requests in a row unread" {
		t.Errorf("while it paused: passed %t, %s", first.Passed, first.Reason)
	}
	if second := found.Scenarios[1]; !second.Passed {
		t.Errorf("after it came back: %+v", second)
	}
}

// If a handler takes all packets, the agent reads nothing but is not silent.
func TestHandlerThatDropsAll(t *testing.T) {
	client := trialtest.Open(t, tun.Config{}, func(s *session.Session, p session.Delivered) {
		program, err := handler.Load("def handle(p):\n    return []\n", handler.Options{})
		if err == nil {
			_, err = s.Install(t.Context(), program)
		}
		if err != nil {
			t.Error(err)
		}
		trialtest.Reply(s, p, 0)
	})
	chosen, err := scenario.Choose([]string{"ping", "sizes"})
	if err != nil {
		t.Fatal(err)
	}
	found, err := Run(trialtest.Soon(t), Options{Scenarios: chosen, Agent: score.Agent{Kind: subject.Running}, Session: client.Name,
		Settings: score.Settings{Count: 10, Interval: 1, Deadline: 300}})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range found.Scenarios {
		if want := "the agent's packet handler took 3 requests in a row, and none got a right answer"; r.Reason != want || r.Tally.Right != 1-i {
			t.Errorf("%s: %d right, %s", r.Scenario, r.Tally.Right, r.Reason)
		}
	}
}
