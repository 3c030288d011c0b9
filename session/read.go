package session

import (
	"context"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// ReadOptions sets how long a read waits and how much it takes.
type ReadOptions struct {
	Timeout time.Duration // wait this long for the first packet
	Settle  time.Duration // after the first packet, wait this long for more
	Max     int           // take up to this many packets, at least 1
	Copies  bool          // count TCP segments that repeat delivered ones
	Acks    bool          // count bare TCP acknowledgments
}

// Delivered is a packet handed to a reader.
type Delivered struct {
	*Packet
	Waited  time.Duration // how long it waited in the queue
	Repeats int           // number of an earlier delivery of the same segment of its TCP connection, or 0
	Failed  string        // why the handler failed on it, or ""
	Answer  int           // number of the packet that answered Repeats, or 0 if there is none or it is forgotten
}

// Batch is the result of one read.
type Batch struct {
	Packets []Delivered // oldest first; empty if nothing came in time
	Notice  string      // news of the handler for the agent, returned once; "" means none
	Counters
}

// Read waits for packets from the peer and takes them off the queue. Each
// packet goes to exactly one reader. If ctx ends the read, it takes nothing and
// returns ctx's error. After the link has ended, queued packets can still be
// read; after that the error wraps os.ErrClosed.
//
// Without Copies and Acks, a read does not end for packets that need no answer:
// TCP segments that the agent has answered since they were repeated, and bare
// acknowledgments. They are taken with the next packet, or at the end of
// Timeout.
func (s *Session) Read(ctx context.Context, o ReadOptions) (Batch, error) {
	deadline := time.Now().Add(o.Timeout)
	worthATurn := func() bool { return s.news(o) }
	full := func() bool { return s.queue.count >= min(o.Max, len(s.queue.ring)) }
	for {
		if err := s.wait(ctx, worthATurn, deadline); err != nil {
			return Batch{}, err
		}
		// Nothing is taken before the settle time is over, so a read cancelled
		// meanwhile has nothing to put back.
		if o.Settle > 0 && s.Queued() > 0 {
			if err := s.wait(ctx, full, time.Now().Add(o.Settle)); err != nil {
				return Batch{}, err
			}
		}
		// If another reader was faster, keep waiting for the remaining time.
		if batch, err := s.take(ctx, o); err != nil || len(batch.Packets) > 0 || batch.Notice != "" || !time.Now().Before(deadline) {
			return batch, err
		}
	}
}

// news reports whether a queued packet may need an answer or counts. s.mu is
// held.
func (s *Session) news(o ReadOptions) (found bool) {
	s.queue.each(func(p *Packet) bool {
		if found = o.Acks || !packet.BareAck(p.Data); o.Copies {
			return !found
		}
		if segment, ok := packet.SegmentOf(p.Data); ok {
			if first := s.shownBefore(segment); first != 0 {
				e := s.record.get(first)
				found = e == nil || e.answer < p.Number
			}
		}
		return !found
	})
	return found
}

// wait returns when ready returns true, at the deadline, or when the link has
// ended. It calls ready with s.mu held whenever a packet has come. It returns
// an error only if ctx ended first.
func (s *Session) wait(ctx context.Context, ready func() bool, deadline time.Time) error {
	var timeout <-chan time.Time // made on the first wait: a packet already queued costs no timer
	for {
		s.mu.Lock()
		if s.err != nil || ready() {
			s.mu.Unlock()
			return ctx.Err()
		}
		arrived := s.arrived
		s.waiting++
		first := timeout == nil
		if first {
			timer := time.NewTimer(time.Until(deadline))
			defer timer.Stop()
			timeout = timer.C
			s.countReaders(ctx, 1)
			defer s.stopWaiting(ctx)
		}
		s.mu.Unlock()
		if first {
			BeforeWait(ctx)
		}
		select {
		case <-arrived:
		case <-s.done:
		case <-timeout:
			return ctx.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Session) stopWaiting(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countReaders(ctx, -1)
}

// countReaders records that a read started (1) or stopped (-1) waiting. s.mu is
// held.
func (s *Session) countReaders(ctx context.Context, change int) {
	s.readers += change
	s.publish(Event{Event: EventReaders, Readers: s.readers, Time: time.Now(), Call: callOf(ctx).Number})
}

// maxCopies bounds a batch, as a multiple of its Max, where retransmissions do
// not count: the segment that matters is often behind them.
const maxCopies = 4

// take takes packets off the queue, unless ctx has ended.
func (s *Session) take(ctx context.Context, o ReadOptions) (Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Batch{}, err
	}
	if s.queue.count == 0 && s.err != nil {
		return Batch{}, fmt.Errorf("reading from the link: %w", s.err)
	}
	var batch Batch
	now := time.Now()
	most := max(o.Max, 1)
	for fresh := 0; fresh < most && len(batch.Packets) < maxCopies*most && s.queue.count > 0; {
		p := s.queue.pop()
		s.counters.Delivered++
		s.publish(Event{Event: EventDelivered, Number: p.Number, Time: now, Call: callOf(ctx).Number})
		d := Delivered{Packet: p, Waited: now.Sub(p.Time), Repeats: s.repeats(p)}
		if e := s.record.get(d.Repeats); e != nil {
			d.Answer = e.answer
		}
		if e := s.record.get(p.Number); e != nil {
			d.Failed = e.failed
		}
		if d.Repeats == 0 && p.Number >= s.record.first { // otherwise nothing would ever forget it
			s.pairs.delivered(p)
		}
		if d.Repeats == 0 || o.Copies {
			fresh++
		}
		batch.Packets = append(batch.Packets, d)
	}
	batch.Notice, s.handler.notice = s.handler.notice, ""
	batch.Counters = s.count()
	return batch, nil
}

// shownBefore returns the number of an earlier delivery of segment in its TCP
// connection, or 0. s.mu is held.
func (s *Session) shownBefore(segment packet.Segment) int {
	return s.tcp.current(segment.Flow, s.shown[segment])
}

// repeats is shownBefore for p, which it remembers as delivered. s.mu is held.
func (s *Session) repeats(p *Packet) int {
	segment, ok := packet.SegmentOf(p.Data)
	if !ok {
		return 0
	}
	kept := p.Number >= s.record.first // otherwise nothing would ever forget it
	if kept {
		s.tcp.opened(segment, p.Number)
	}
	number := s.shownBefore(segment)
	if kept && number == 0 {
		s.shown[segment] = p.Number
	}
	return number
}
