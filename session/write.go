package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// CheckLink returns the reason why the link cannot take data as a packet, or
// nil. Data may be too malformed to carry, longer than the MTU, or have a
// source or destination outside the allowed prefixes (an answer would go to the
// source). The same rule applies to every address that packet.Beyond finds.
func (s *Session) CheckLink(data []byte) error {
	if err := packet.Carriable(data, s.mtu()); err != nil {
		return err
	}
	if len(s.config.Allow) == 0 {
		return nil
	}
	src, dst, ok := packet.Addresses(data)
	switch {
	case !ok:
		return fmt.Errorf("the packet has no addresses that could be checked against %v", s.config.Allow)
	case !s.allows(dst):
		return fmt.Errorf("destination %s is outside %v: this link is on the host's own network and writes stay inside its prefix; the user can open more with --allow-dest CIDR", dst, s.config.Allow)
	case !s.allows(src):
		// The host would send its answer there, out of any of its interfaces.
		return fmt.Errorf("source %s is outside %v: this link is on the host's own network, which would send its answer there; write from an address of yours, or the user can open more with --allow-dest CIDR", src, s.config.Allow)
	}
	return s.checkBeyond(data)
}

// checkBeyond applies the allowed prefixes to the addresses that a packet makes
// its receiver act on besides source and destination. A packet with no bound at
// all is refused.
func (s *Session) checkBeyond(data []byte) error {
	mentions, err := packet.Beyond(data)
	if err != nil {
		return fmt.Errorf("%w: this link is on the host's own network, and such packets reach beyond the link; use --network private to send them", err)
	}
	for _, m := range mentions {
		if !s.allows(m.Addr) {
			return fmt.Errorf("%s, %s, is outside %v: this link is on the host's own network, which acts on that address; quote or route packets of this link, or the user can open more with --allow-dest CIDR", m.What, m.Addr, s.config.Allow)
		}
	}
	return nil
}

// allows reports whether packets may go to an address.
func (s *Session) allows(addr netip.Addr) bool {
	return slices.ContainsFunc(s.config.Allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// mtu returns the link's MTU, at most mtuAge old. It must be checked here
// because the kernel would accept a longer packet.
func (s *Session) mtu() int {
	link, ok := s.device.(interface{ CurrentMTU() int })
	if !ok {
		return s.config.MTU
	}
	known := s.knownMTU.Load()
	if known == nil || time.Since(known.asked) > mtuAge {
		known = &knownMTU{link.CurrentMTU(), time.Now()}
		s.knownMTU.Store(known)
	}
	return known.mtu
}

// mtuNow reads the MTU again and caches it for mtu.
func (s *Session) mtuNow() int {
	s.knownMTU.Store(nil)
	return s.mtu()
}

// mtuAge is how long the MTU is cached. A user may change it, but asking the
// kernel takes as long as writing a packet.
const mtuAge = 10 * time.Millisecond

type knownMTU struct {
	mtu   int // bytes
	asked time.Time
}

// CheckReplyTo returns the reason why a written packet cannot answer packet
// number, or nil.
func (s *Session) CheckReplyTo(number int) error {
	p, err := s.Packet(number)
	if err != nil {
		return err
	}
	if p.Direction != Read {
		return fmt.Errorf("packet #%d was written by this side: reply_to takes the number of a packet that was read", number)
	}
	return nil
}

// Write hands the peer one packet and returns it with its number. A packet over
// the rate limit is not written, and the error is a *RateError. replyTo is the
// number of the packet that it answers; with 0 the session finds that packet by
// its flow. Data is copied. Only the call is taken from ctx (see WithCall),
// because a write does not block.
func (s *Session) Write(ctx context.Context, data []byte, replyTo int) (*Packet, error) {
	return s.write(ctx, data, replyTo, false)
}

// write implements Write, also for the handler.
func (s *Session) write(ctx context.Context, data []byte, replyTo int, byHandler bool) (*Packet, error) {
	if err := s.CheckLink(data); err != nil {
		return nil, err
	}
	if replyTo != 0 {
		if err := s.CheckReplyTo(replyTo); err != nil {
			return nil, err
		}
	}
	data = append([]byte(nil), data...)

	// The number is assigned before the device has the packet, so that the
	// answer, which may be read before Write returns, gets a higher number.
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	if s.err != nil {
		defer s.mu.Unlock()
		return nil, fmt.Errorf("writing to the link: %w", s.err)
	}
	now := time.Now()
	if wait := s.rate.take(now); wait > 0 {
		defer s.mu.Unlock()
		return nil, &RateError{MaxPPS: s.config.MaxPPS, Wait: wait}
	}
	p := &Packet{Number: s.record.last + 1, Direction: Write, Time: now, Data: data, ReplyTo: replyTo, Handler: byHandler}
	if segment, ok := packet.SegmentOf(data); ok {
		p.Repeats = s.sentBefore(segment)
	}
	if p.ReplyTo == 0 {
		if first := s.record.get(p.Repeats); first != nil {
			p.ReplyTo = first.packet.ReplyTo
		} else {
			p.ReplyTo = s.pairs.answered(data)
		}
	}
	if e := s.record.get(p.ReplyTo); e != nil {
		p.Response = p.Time.Sub(e.packet.Time)
	} else {
		p.ReplyTo = 0
	}
	s.keep(p)
	s.counters.Written++
	if len(s.watchers) > 0 {
		event, call := packetEvent(p), callOf(ctx)
		event.Call, event.Began, event.Assist = call.Number, call.Began, call.Assist
		s.publish(event)
	}
	s.mu.Unlock()

	_, err := s.device.Write(data)
	s.config.Record.settle(p, err)
	if err != nil {
		s.mu.Lock()
		s.counters.Failed++
		s.publish(Event{Event: EventFailed, Number: p.Number, Time: time.Now(), Why: err.Error()})
		s.mu.Unlock()
		return nil, fmt.Errorf("packet #%d was lost, the link did not take it: %w", p.Number, err)
	}
	s.taken(p)
	return p, nil
}

// sentBefore returns the number of an earlier write of segment in its TCP
// connection, or 0. s.mu is held.
func (s *Session) sentBefore(segment packet.Segment) int {
	return s.tcp.current(segment.Flow.Reversed(), s.sent[segment])
}

// taken records that the device has taken p, and which packet p answers.
func (s *Session) taken(p *Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if segment, ok := packet.SegmentOf(p.Data); ok && s.sentBefore(segment) == 0 && p.Number >= s.record.first {
		s.sent[segment] = p.Number
	}
	e := s.record.get(p.ReplyTo)
	if e == nil {
		return
	}
	if e.answer == 0 {
		e.answer = p.Number
		s.pairs.responded(p.Response)
	} else if first := s.record.get(e.answer); first != nil && bytes.Equal(first.packet.Data, p.Data) {
		e.answer = p.Number // a copy of an answer that may have been lost
	}
}

// Refused counts a packet that was not written, for the reason why.
func (s *Session) Refused(data []byte, replyTo int, why error) {
	s.refused(data, replyTo, why, false)
}

// refused implements Refused, also for the handler.
func (s *Session) refused(data []byte, replyTo int, why error, byHandler bool) {
	_, tooFast := errors.AsType[*RateError](why)
	data = data[:min(len(data), packet.MaxLen)] // anything longer is not a packet, and watchers would hold it in memory
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters.Refused++
	if tooFast {
		s.counters.TooFast++
	}
	s.publish(Event{Event: EventRefused, Time: time.Now(), Hex: hexOf(data), ReplyTo: replyTo, Why: why.Error(), Handler: byHandler})
}
