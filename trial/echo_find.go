package trial

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// follow notes what crosses the link until ctx ends, or the session.
func (e *echoSender) follow(ctx context.Context) {
	for more := true; more; {
		more = e.f.record.until(ctx, func(r *eventRecord) bool { return len(r.events) > e.next })
		for _, event := range e.f.record.since(e.next) {
			e.next++
			e.note(event)
		}
	}
}

// note notes of a packet which request it carries, or which one it answers.
func (e *echoSender) note(event session.Event) {
	data, err := hex.DecodeString(event.Hex)
	if event.Event != session.EventPacket || err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case event.Direction == session.Write:
		if event.ReplyTo != 0 && !moreToCome(data) {
			e.replied[event.ReplyTo] = true
			e.reply(e.carries[event.ReplyTo])
		}
	case event.Injected: // whoever injects it knows its number
	default:
		e.carry(e.find(data), event.Number, data)
	}
}

// find returns the request that a packet carries, nil if it is none: it is
// known by its sequence number and data, and a fragment by the identification
// that it shares with one that was known before, or else by its data alone: the
// link may have lost the first one.
func (e *echoSender) find(data []byte) *echoRequest {
	v := parseEcho(data)
	r := e.taken[v.fragment]
	switch {
	case v.request && v.seq >= 1 && v.seq <= len(e.requests):
		r = e.requests[v.seq-1]
	case v.fragment == "":
		return nil
	case (r == nil || !v.isPart(r)) && len(v.data) >= tagLength:
		if i := slices.IndexFunc(e.requests, v.isPart); i >= 0 {
			r = e.requests[i]
		}
	}
	if r == nil || !v.isPart(r) {
		return nil
	}
	if v.fragment != "" {
		e.taken[v.fragment] = r
	}
	return r
}

// carry notes that a packet carries a request, if it does.
func (e *echoSender) carry(r *echoRequest, number int, data []byte) {
	if r == nil {
		return
	}
	r.Numbers, r.Packets = append(r.Numbers, number), append(r.Packets, data)
	e.carries[number] = r
	if e.replied[number] {
		e.reply(r)
	}
}

// settle is how long after its writing an answer has reached the peer's program,
// if it is one that a program takes: twice the longest round trip, as ping waits
// at its end, and a second at least.
func (e *echoSender) settle() time.Duration {
	return min(max(2*e.longest, time.Second), e.f.deadline())
}

// reply notes that the agent has answered a request, if it is one. Whether
// rightly, the judge will say: the peer's stack drops what it finds wrong.
func (e *echoSender) reply(r *echoRequest) {
	if r == nil || r.written {
		return
	}
	r.written = true
	if r.injected {
		r.end()
		return
	}
	time.AfterFunc(e.settle(), func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		r.end()
	})
}

// moreToCome tells a fragment of IPv4 that is not the last one.
func moreToCome(b []byte) bool { return len(b) >= 20 && b[0]>>4 == 4 && b[6]&0x20 != 0 }
