package scenario

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// testPeer returns a peer in memory. Its agent is called for each packet; a nil agent
// never reads.
func testPeer(t *testing.T, deadline time.Duration, agent func(s *session.Session, p session.Delivered)) *traffic.Peer {
	return testPeerOn(t, tun.Config{}, deadline, agent)
}

// testPeerOn is testPeer on a link with another configuration.
func testPeerOn(t *testing.T, link tun.Config, deadline time.Duration, agent func(s *session.Session, p session.Delivered)) *traffic.Peer {
	t.Helper()
	client := trialtest.Open(t, link, agent)
	events, err := traffic.Watch(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &traffic.Peer{Session: client, Status: status, Settings: score.Settings{Count: 3, Interval: 1, Deadline: score.Milliseconds(deadline)},
		Rand: rand.New(rand.NewPCG(1, 1)), Events: events}
}

// A scenario plans as many requests as it sends, so a missing one makes the reward less
// than 1.
func TestRequestsArePlanned(t *testing.T) {
	for name, want := range map[string]int{"ping": 3, "sizes": 7, "noise": 25, "reassembly": 4, "fragments": 3, "traceroute": 3} {
		chosen, err := Choose([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		var r score.Result
		chosen[0].Scored(&r, 3)
		r.Exchanges = make([]score.Exchange, want-1)
		for i := range r.Exchanges {
			r.Exchanges[i].Outcome = score.Right
		}
		chosen[0].Scored(&r, 3)
		if *r.Reward >= 1 || *r.Reward != float64(want-1)/float64(want) {
			t.Errorf("%s: reward %v for all but one of %d", name, *r.Reward, want)
		}
	}
}
