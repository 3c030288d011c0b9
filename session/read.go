package session

import (
	"context"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// ReadOptions says how long a read waits and how much it takes.
type ReadOptions struct {
	Timeout time.Duration // wait this long for the first packet
	Settle  time.Duration // after the first packet, wait this long for what follows it
	Max     int           // take up to this many packets, at least 1
	Copies  bool          // TCP segments that repeat delivered ones are packets like others
}

// Delivered is a packet handed to a reader.
type Delivered struct {
	*Packet
	Waited  time.Duration // how long it waited in the queue
	Repeats int           // the number under which the same TCP segment was delivered before, 0 if it was not
	Answer  int           // the number of the packet that answered Repeats, 0 if none has, or if that is forgotten
}

// Batch is what one read took.
type Batch struct {
	Packets []Delivered // oldest first; empty if nothing came in time
	Counters
}

// Read waits for packets from the peer and takes them off the queue. Each
// packet is handed to exactly one reader. A read that ends by ctx takes
// nothing and returns ctx's error. After the link has ended, what is queued
// can still be read; then the error wraps os.ErrClosed.
//
// Unless Copies count, a read does not end for TCP segments that the agent has
// answered since they were repeated: they are taken with what comes next, or at
// the end of Timeout.
func (s *Session) Read(ctx context.Context, o ReadOptions) (Batch, error) {
	deadline := time.Now().Add(o.Timeout)
	worthATurn := func() bool { return o.Copies && s.queue.count > 0 || !o.Copies && s.news() }
	if err := s.wait(ctx, worthATurn, deadline); err != nil {
		return Batch{}, err
	}
	// Nothing is taken before the settling is over: a read that is cancelled
	// meanwhile has nothing to put back.
	if o.Settle > 0 && s.Queued() > 0 {
		full := func() bool { return s.queue.count >= min(o.Max, len(s.queue.ring)) }
		if err := s.wait(ctx, full, time.Now().Add(o.Settle)); err != nil {
			return Batch{}, err
		}
	}
	for {
		if batch, err := s.take(ctx, o); err != nil || len(batch.Packets) > 0 || !time.Now().Before(deadline) {
			return batch, err
		}
		// Another reader was faster: wait on for the time that is left.
		if err := s.wait(ctx, worthATurn, deadline); err != nil {
			return Batch{}, err
		}
	}
}

// news tells whether something is queued besides segments that the agent has
// answered since they were repeated. s.mu is held.
func (s *Session) news() (found bool) {
	s.queue.each(func(p *Packet) bool {
		found = true
		if segment, ok := packet.SegmentOf(p.Data); ok && s.shown[segment] != 0 {
			e, err := s.record.find(s.shown[segment])
			found = err != nil || e.answer < p.Number
		}
		return !found
	})
	return found
}

// wait returns when ready says so, which is called with s.mu held whenever a
// packet has come, at the deadline, or when the link has ended; with an error
// only if ctx ended first.
func (s *Session) wait(ctx context.Context, ready func() bool, deadline time.Time) error {
	var timeout <-chan time.Time // made on the first wait: a packet that is there costs no timer
	for {
		s.mu.Lock()
		if s.err != nil || ready() {
			s.mu.Unlock()
			return ctx.Err()
		}
		arrived := s.arrived
		s.waiting++
		if timeout == nil {
			timer := time.NewTimer(time.Until(deadline))
			defer timer.Stop()
			timeout = timer.C
			s.readers++
			defer s.stopWaiting()
		}
		s.mu.Unlock()
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

func (s *Session) stopWaiting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers--
}

// mostCopies bounds a batch to so many times its Max where retransmissions do
// not count: the segment that matters often stands behind them.
const mostCopies = 4

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
	for fresh := 0; fresh < most && len(batch.Packets) < mostCopies*most && s.queue.count > 0; {
		p := s.queue.pop()
		s.counters.Delivered++
		s.publish(Event{Event: EventDelivered, Number: p.Number, Time: now, Call: callOf(ctx).Number})
		d := Delivered{Packet: p, Waited: now.Sub(p.Time), Repeats: s.repeats(p)}
		if e, err := s.record.find(d.Repeats); err == nil {
			d.Answer = e.answer
		}
		if d.Repeats == 0 && p.Number >= s.record.first { // else nothing would ever forget it
			s.pairs.delivered(p)
		}
		if d.Repeats == 0 || o.Copies {
			fresh++
		}
		batch.Packets = append(batch.Packets, d)
	}
	batch.Counters = s.count()
	return batch, nil
}

// repeats returns the number under which the same TCP segment was delivered
// before, 0 if it was not, and remembers p as delivered. s.mu is held.
func (s *Session) repeats(p *Packet) int {
	segment, ok := packet.SegmentOf(p.Data)
	if !ok {
		return 0
	}
	if number, ok := s.shown[segment]; ok {
		return number
	}
	if p.Number >= s.record.first { // else nothing would ever forget it
		s.shown[segment] = p.Number
	}
	return 0
}
