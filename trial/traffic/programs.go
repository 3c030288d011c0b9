package traffic

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Programs runs a client program on the peer count times, one after the other, and
// returns a request for each run. Do is the program; it returns an error if the answer
// was not right.
func (p *Peer) Programs(ctx context.Context, count int, name func(i int) string, do func(ctx context.Context, i int) error) ([]judge.Request, error) {
	var requests []judge.Request
	over := make(oldConnections)
	random := p.Rand.Uint64()
	for i := range count {
		if p.Done[i+1] != "" {
			continue
		}
		p.Rand = rand.New(rand.NewPCG(random, uint64(i))) // the same data, even if earlier requests were skipped
		first, missed := p.Events.Count(), p.Events.Missed()
		r := judge.Request{N: i + 1, Name: name(i), Sent: time.Now()}
		once, cancel := context.WithTimeout(ctx, p.Deadline())
		err := do(once, i)
		took := time.Since(r.Sent)
		cancel()
		if ctx.Err() != nil {
			return requests, ctx.Err()
		}
		if err != nil {
			// The end of the session does not count against the agent.
			if _, gone := p.Session.Status(ctx); gone != nil {
				why := "its server is gone"
				if isTimeout(gone) {
					why = "its server does not answer"
				}
				return requests, &control.Ended{Session: p.Session.Name, Why: why}
			}
		}
		outcome := score.Lost
		switch {
		case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
			r.Failure = "no answer in time"
		case err != nil:
			r.Failure, r.RoundTrip = err.Error(), took
			if refused(err) {
				r.Kind = score.FaultType
			}
		default:
			r.RoundTrip, outcome = took, score.Right
		}
		silent := p.answered(outcome)
		// The packets that close a connection belong to this request too.
		p.quiet(ctx)
		for _, e := range p.Events.Since(first) {
			if e.Event == session.EventPacket && e.Direction == session.Read {
				data, _ := hex.DecodeString(e.Hex) // always valid: our own server encoded it
				if over.has(data) {
					continue
				}
				r.Numbers, r.Packets = append(r.Numbers, e.Number), append(r.Packets, data)
			}
		}
		over.add(r.Packets)
		if len(r.Numbers) == 0 && err != nil && p.Events.Missed() == missed {
			return requests, fmt.Errorf("%s: %w: %w", r.Name, ErrNotOnLink, err)
		}
		requests = append(requests, r)
		if p.Over != nil {
			p.Over(requests)
		}
		if silent != nil {
			return requests, silent
		}
		if why := p.Events.Ended(); why != "" {
			return requests, errors.New(why)
		}
	}
	return requests, nil
}

// refused reports whether a program failed because the agent answered with a reset or an
// ICMP error.
func refused(err error) bool {
	for _, number := range []syscall.Errno{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		if errors.Is(err, number) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
