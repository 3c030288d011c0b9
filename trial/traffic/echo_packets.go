package traffic

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// follow processes the packets on the link until ctx or the session ends.
func (e *EchoSender) follow(ctx context.Context) {
	for more := true; more; {
		more = e.peer.Events.until(ctx, func(r *Events) bool { return len(r.events) > e.next })
		for _, event := range e.peer.Events.Since(e.next) {
			e.next++
			e.note(event)
		}
	}
}

// note records which request a packet carries, or which one it answers.
func (e *EchoSender) note(event session.Event) {
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
	case event.Injected: // InjectPieces has recorded it
	default:
		e.carry(e.find(data), event.Number, data)
	}
}

// find returns the request that a packet carries, or nil if it carries none. A whole
// request and a first fragment are found by sequence number and data. Other fragments
// are found by an identification seen before, or by their data alone, since the link
// may have lost the first fragment.
func (e *EchoSender) find(data []byte) *echoRequest {
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

// carry records that a packet carries r. A nil r is ignored.
func (e *EchoSender) carry(r *echoRequest, number int, data []byte) {
	if r == nil {
		return
	}
	r.Numbers, r.Packets = append(r.Numbers, number), append(r.Packets, data)
	e.carries[number] = r
	if e.replied[number] {
		e.reply(r)
	}
}

// settle returns how long to wait, after the agent has written an answer, for the
// peer's program to receive it: twice the longest round trip (like ping at its end),
// at least 1 s, at most the deadline.
func (e *EchoSender) settle() time.Duration {
	return min(max(2*e.longest, time.Second), e.peer.Deadline())
}

// reply records that the agent has answered r, right or wrong. A nil r is ignored. The
// wait for a wrong answer has to end here, because the peer's stack may drop it.
func (e *EchoSender) reply(r *echoRequest) {
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

// moreToCome reports whether b is an IPv4 fragment other than the last.
func moreToCome(b []byte) bool { return len(b) >= 20 && b[0]>>4 == 4 && b[6]&0x20 != 0 }
