package trial

import (
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// A served agent gets every repetition, although its one link cannot run loss.
func TestServedGetsEveryRepetition(t *testing.T) {
	chosen, err := scenario.Choose([]string{"ping", "loss"})
	if err != nil {
		t.Fatal(err)
	}
	serve := trialtest.Serve(t, tun.Config{}, func(s *session.Session, p session.Delivered) { trialtest.Reply(s, p, 0) })
	found, err := Run(trialtest.Soon(t), Options{Scenarios: chosen, Every: true, Agent: score.Agent{Kind: subject.Served}, Serve: serve,
		Settings: score.Settings{Count: 3, Interval: 1, Deadline: 5000, Repeat: 2}})
	if err != nil {
		t.Fatal(err)
	}
	const why = "it needs its own link with --impair drop="
	ping, loss := found.Scenarios[0], found.Scenarios[1]
	if !found.Passed() || len(ping.Repeats) != 2 || ping.Tally.Right != 6 || !loss.Skipped || !strings.HasPrefix(loss.Reason, why) {
		t.Errorf("passed %t, %d right, repetitions %+v; loss: %s", found.Passed(), ping.Tally.Right, ping.Repeats, loss.Reason)
	}
}
