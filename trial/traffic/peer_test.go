package traffic

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// testPeer returns a peer in memory. Its agent is called for each packet; a nil agent
// never reads.
func testPeer(t *testing.T, deadline time.Duration, agent func(s *session.Session, p session.Delivered)) *Peer {
	return testPeerOn(t, tun.Config{}, deadline, agent)
}

// testPeerOn is testPeer on a link with another configuration.
func testPeerOn(t *testing.T, link tun.Config, deadline time.Duration, agent func(s *session.Session, p session.Delivered)) *Peer {
	t.Helper()
	client := trialtest.Open(t, link, agent)
	events, err := Watch(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &Peer{Session: client, Status: status, Settings: score.Settings{Count: 3, Interval: 1, Deadline: score.Milliseconds(deadline)},
		Rand: rand.New(rand.NewPCG(1, 1)), Events: events}
}

// A bare ACK does not end a read, so it may stay in the queue of an idle agent. quiet does not
// wait until the agent reads it.
func TestQuietDespiteABareAck(t *testing.T) {
	p := testPeer(t, trialtest.Never, func(*session.Session, session.Delivered) {})
	ack, err := packet.ParseHex("4500 0028 08e0 4000 4006 0000 0a4d 0001 0a4d 0002 b75e 0007 1dc9 a653 0000 1002 5010 faef 0000 0000")
	if err == nil {
		ack, err = packet.Fix(ack)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx := trialtest.Soon(t)
	p.quiet(ctx)
	if _, err := p.Session.Inject(ctx, ack); err != nil {
		t.Fatal(err)
	}
	p.quiet(ctx)
	if status, err := p.Session.Status(ctx); ctx.Err() != nil || err != nil || status.Counters.Queued != 1 || !status.Idle {
		t.Errorf("after a bare ACK: %v, %v, %d queued, idle %t", ctx.Err(), err, status.Counters.Queued, status.Idle)
	}
	other, err := packet.ParseHex("4500 001c 0001 4000 4011 0000 0a4d 0001 0a4d 0002 c000 0007 0008 0000")
	if err == nil {
		other, err = packet.Fix(other)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Session.Inject(ctx, other); err != nil {
		t.Fatal(err)
	}
	p.quiet(ctx)
	if status, err := p.Session.Status(ctx); err != nil || status.Counters.Queued != 0 {
		t.Errorf("after a datagram: %d queued, %v", status.Counters.Queued, err)
	}
}
