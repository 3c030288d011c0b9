package trial

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
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
// known by its sequence number and data, and fragments by the identification
// that they share with the first one.
func (e *echoSender) find(data []byte) *echoRequest {
	v := parseEcho(data)
	if !v.request || v.seq < 1 || v.seq > len(e.requests) {
		return e.taken[v.fragment]
	}
	r := e.requests[v.seq-1]
	if r.injected || !bytes.HasPrefix(r.payload, v.data) {
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

// settled is how long after its writing an answer has reached the peer's
// program, if it is one that a program takes.
const settled = 100 * time.Millisecond

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
	time.AfterFunc(settled, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		r.end()
	})
}

// moreToCome tells a fragment of IPv4 that is not the last one.
func moreToCome(b []byte) bool { return len(b) >= 20 && b[0]>>4 == 4 && b[6]&0x20 != 0 }

// echoView is what find needs to know of a packet.
type echoView struct {
	request  bool   // it begins an echo request
	seq      int    //
	data     []byte // echo data, as far as this packet has it
	fragment string // what fragments of one packet share, "" if it is none
}

// parseEcho looks for an echo request, or a fragment of one.
func parseEcho(b []byte) echoView {
	var v echoView
	var rest []byte
	first := true
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		header := int(b[0]&15) * 4
		if header < 20 || header > len(b) || b[9] != 1 {
			return v
		}
		if flags := binary.BigEndian.Uint16(b[6:]); flags&0x3fff != 0 {
			v.fragment, first = string(b[4:6])+string(b[12:20]), flags&0x1fff == 0
		}
		rest = b[header:]
	case len(b) >= 40 && b[0]>>4 == 6:
		next, at := b[6], 40
		if next == 44 && len(b) >= 48 {
			v.fragment, first = string(b[44:48])+string(b[8:40]), binary.BigEndian.Uint16(b[42:])&0xfff8 == 0
			next, at = b[40], 48
		}
		if next != 58 {
			return v
		}
		rest = b[at:]
	}
	if first && len(rest) >= 8 && (rest[0] == 8 || rest[0] == 128) {
		v.request, v.seq, v.data = true, int(binary.BigEndian.Uint16(rest[6:])), rest[8:]
	}
	return v
}
