package scenario

import (
	"context"
	"slices"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// reassembly sends echo requests whose fragments are out of order, duplicated or mixed.
func reassembly() Scenario {
	return Scenario{
		Name:     "reassembly",
		About:    "echo requests in small fragments: the last one first, one of them twice, and two requests mixed",
		RFC:      "RFC 791 section 3.2; RFC 815",
		Expect:   "each is reassembled and answered once, with every byte right",
		Requests: func(int) int { return 4 },
		Judge:    judge.Echo,
		Run:      runReassembly,
	}
}

func runReassembly(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
	e, err := p.OpenEcho(ctx, false)
	if err != nil {
		return nil, err
	}
	next := 0
	fragments := func() [][]byte { // three, with 16 bytes of data each
		next++
		return traffic.Fragments(p.CraftPing(nil, next, p.Random(40)), 16)
	}
	backwards := fragments()
	slices.Reverse(backwards)
	if err := e.Inject(ctx, "the last fragment first", backwards...); err != nil {
		return e.Close(ctx, err)
	}
	twice := fragments()
	if err := e.Inject(ctx, "one fragment twice", twice[0], twice[1], twice[1], twice[2]); err != nil {
		return e.Close(ctx, err)
	}
	a, b := fragments(), fragments()
	err = e.InjectPieces(ctx, []string{"mixed, the first", "mixed, the second"}, []traffic.Piece{
		{Request: 0, Packet: a[0]}, {Request: 1, Packet: b[2]}, {Request: 1, Packet: b[0]},
		{Request: 0, Packet: a[2]}, {Request: 0, Packet: a[1]}, {Request: 1, Packet: b[1]},
	})
	return e.Close(ctx, err)
}
