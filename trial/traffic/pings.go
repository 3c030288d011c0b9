package traffic

import (
	"context"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// PingSize is the amount of data in an ordinary ping, in bytes.
const PingSize = 56

// Pings sends count echo requests with size(i) bytes of data. It sends each one after
// the answer to the one before, or after its deadline.
func (p *Peer) Pings(ctx context.Context, is6 bool, count int, size func(i int) int) ([]judge.Request, error) {
	e, err := p.OpenEcho(ctx, is6)
	if err != nil {
		return nil, err
	}
	for i := range count {
		if err = e.Ask(ctx, fmt.Sprintf("seq %d", i+1), size(i)); err != nil {
			break
		}
	}
	return e.Close(ctx, err)
}

// Burst sends count echo requests at an interval, without waiting for answers. Then it
// waits for the answers, up to the deadline after the last request. It returns how many
// requests got no right answer.
func (e *EchoSender) Burst(ctx context.Context, count int, interval time.Duration, name func(i int) string) (failed int, err error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var all []*echoRequest
	for i := range count {
		r, err := e.send(name(i), PingSize)
		if err != nil {
			return 0, err
		}
		all = append(all, r)
		if r.done != "" {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, e.peer.Deadline())
	defer cancel()
	for _, r := range all {
		outcome, err := e.await(ctx, r)
		if err != nil {
			return failed, err
		}
		if r.done == "" {
			e.peer.show(outcome)
		}
		if outcome != score.Right {
			failed++
		}
	}
	e.tell(outer)
	return failed, e.peer.listen(failed < len(all)) // one wait for all of them
}
