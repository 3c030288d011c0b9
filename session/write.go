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

// CheckLink says why the link cannot take data as a packet, nil if it can:
// malformed beyond carrying, longer than the MTU, or to or from an address that
// this session does not write to: what it comes from, its answer goes to.
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
		// The host would answer it, out of any of its interfaces.
		return fmt.Errorf("source %s is outside %v: this link is on the host's own network, which would send its answer there; write from an address of yours, or the user can open more with --allow-dest CIDR", src, s.config.Allow)
	}
	return nil
}

// allows tells whether an address is one that packets may go to.
func (s *Session) allows(addr netip.Addr) bool {
	return slices.ContainsFunc(s.config.Allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// mtu is the longest packet that the link carries now. The kernel would take a
// longer one as if it had crossed the wire.
func (s *Session) mtu() int {
	if link, ok := s.device.(interface{ CurrentMTU() int }); ok {
		return link.CurrentMTU()
	}
	return s.config.MTU
}

// CheckReplyTo says why number cannot be the packet that a written one
// answers, nil if it can.
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

// Write hands the peer one packet and returns it with its number. One over the
// rate limit is not written; the error is a *RateError then. replyTo is
// the number of the packet that it answers; with 0 the session finds it by
// its flow. Data is copied. Of ctx only the call is used, see WithCall: a write
// is over at once.
func (s *Session) Write(ctx context.Context, data []byte, replyTo int) (*Packet, error) {
	if err := s.CheckLink(data); err != nil {
		return nil, err
	}
	if replyTo != 0 {
		if err := s.CheckReplyTo(replyTo); err != nil {
			return nil, err
		}
	}
	data = append([]byte(nil), data...)

	// The number is given before the device has the packet, so that the
	// answer, which may be read before Write returns, gets a higher one.
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	if s.err != nil {
		defer s.mu.Unlock()
		return nil, fmt.Errorf("writing to the link: %w", s.err)
	}
	if wait := s.rate.take(time.Now()); wait > 0 {
		defer s.mu.Unlock()
		return nil, &RateError{MaxPPS: s.config.MaxPPS, Wait: wait}
	}
	p := &Packet{Number: s.record.last + 1, Direction: Write, Time: time.Now(), Data: data, ReplyTo: replyTo}
	if segment, ok := packet.SegmentOf(data); ok {
		p.Repeats = s.sent[segment]
	}
	switch first, err := s.record.find(p.Repeats); {
	case p.ReplyTo != 0:
	case err == nil:
		p.ReplyTo = first.packet.ReplyTo
	default:
		p.ReplyTo = s.pairs.answered(data)
	}
	if e, err := s.record.find(p.ReplyTo); err == nil && p.ReplyTo != 0 {
		p.Response = p.Time.Sub(e.packet.Time)
	} else {
		p.ReplyTo = 0
	}
	s.keep(p)
	s.counters.Written++
	event, call := packetEvent(p), callOf(ctx)
	event.Call, event.Began, event.Assist = call.Number, call.Began, call.Assist
	s.publish(event)
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

// taken notes that the device has taken p, and what that was an answer to.
func (s *Session) taken(p *Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if segment, ok := packet.SegmentOf(p.Data); ok && s.sent[segment] == 0 && p.Number >= s.record.first {
		s.sent[segment] = p.Number
	}
	e, err := s.record.find(p.ReplyTo)
	if err != nil {
		return
	}
	if e.answer == 0 {
		e.answer = p.Number
		s.pairs.responded(p.Response)
	} else if first, err := s.record.find(e.answer); err == nil && bytes.Equal(first.packet.Data, p.Data) {
		e.answer = p.Number // the same again, for one that may be lost
	}
}

// Refused counts a packet that was not written, because of why.
func (s *Session) Refused(data []byte, replyTo int, why error) {
	_, tooFast := errors.AsType[*RateError](why)
	data = data[:min(len(data), packet.MaxLen)] // what is longer is no packet, and would be kept for those who watch
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters.Refused++
	if tooFast {
		s.counters.TooFast++
	}
	s.publish(Event{Event: EventRefused, Time: time.Now(), Hex: hexOf(data), ReplyTo: replyTo, Why: why.Error()})
}
