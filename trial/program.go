package trial

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// programs runs a client program on the peer count times, one after the other,
// and says for each whether it got what it came for. Do returns an error that
// says what was not right.
func (f *Field) programs(ctx context.Context, count int, name func(i int) string, do func(ctx context.Context, i int) error) ([]judge.Request, error) {
	var requests []judge.Request
	over := make(closing)
	for i := range count {
		first, missed := f.record.count(), f.record.missed()
		r := judge.Request{N: i + 1, Name: name(i), Sent: time.Now()}
		once, cancel := context.WithTimeout(ctx, f.deadline())
		err := do(once, i)
		took := time.Since(r.Sent)
		cancel()
		if ctx.Err() != nil {
			return requests, ctx.Err()
		}
		if err != nil {
			// A session that is gone is no fault of the agent's.
			if _, gone := f.Session.Status(ctx); gone != nil {
				why := "its server is gone"
				if isTimeout(gone) {
					why = "its server does not answer"
				}
				return requests, &control.Ended{Session: f.Session.Name, Why: why}
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
		silent := f.answered(outcome)
		// Closing a connection takes a few packets more: they belong here.
		f.quiet(ctx)
		for _, e := range f.record.since(first) {
			if e.Event == session.EventPacket && e.Direction == session.Read {
				data, _ := hex.DecodeString(e.Hex) // it was encoded by us
				if over.has(data) {
					continue
				}
				r.Numbers, r.Packets = append(r.Numbers, e.Number), append(r.Packets, data)
			}
		}
		over.add(r.Packets)
		if len(r.Numbers) == 0 && err != nil && f.record.missed() == missed {
			return requests, fmt.Errorf("%s: %w: %w", r.Name, errNotOnLink, err)
		}
		requests = append(requests, r)
		if silent != nil {
			return requests, silent
		}
		if why := f.record.gone(); why != "" {
			return requests, errors.New(why)
		}
	}
	return requests, nil
}

// refused tells a program's failure that no data made: the agent answered with
// a reset or an ICMP error.
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

// at is the agent's address with a port.
func (f *Field) at(port int) string { return net.JoinHostPort(f.Status.Agent, strconv.Itoa(port)) }

// dial connects to a port of the agent from the peer's stack.
func (f *Field) dial(ctx context.Context, network string, port, ttl int) (net.Conn, error) {
	conn, err := f.Session.Dial(ctx, network, f.at(port), ttl)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// refusedDatagram sends a datagram and wants to hear that nobody listens there.
func (f *Field) refusedDatagram(ctx context.Context, port, ttl int) error {
	conn, err := f.dial(ctx, "udp4", port, ttl)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(f.random(32)); err != nil {
		return err
	}
	n, err := conn.Read(make([]byte, 2000))
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil
	case err == nil:
		return fmt.Errorf("%d bytes came back, want «connection refused»", n)
	}
	return err
}

// peer and agent are the IPv4 addresses of the link, as bytes.
func (f *Field) peer() []byte {
	prefix, _ := netip.ParsePrefix(f.Status.Peer) // a session's status has it right
	return prefix.Addr().AsSlice()
}

func (f *Field) agent() []byte {
	a, _ := netip.ParseAddr(f.Status.Agent)
	return a.AsSlice()
}
