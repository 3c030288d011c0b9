package judge

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// journal holds a scenario's events, sorted for the judge.
type journal struct {
	read      []crossed         // packets from the peer, in order
	written   []crossed         // packets that the agent sent to the peer, in order, except for unasked ones
	packets   map[int]crossed   // packets from the peer, by number
	delivered map[int]moment    // when the agent got a packet, by number
	dropped   map[int]bool      // packets that the full queue dropped
	handled   map[int]string    // the handler's verdict on packets that it did not answer, by number
	refused   map[int]string    // why an answer was refused, by the number of the packet that it answers
	ended     map[int]time.Time // when calls ended, by their number
}

// crossed is a packet that crossed the link.
type crossed struct {
	session.Event
	datagram
}

// moment is a time in a call.
type moment struct {
	at   time.Time
	call int // number; 0 if unknown
}

func newJournal(events []session.Event) *journal {
	j := &journal{packets: make(map[int]crossed), delivered: make(map[int]moment), dropped: make(map[int]bool), handled: make(map[int]string),
		refused: make(map[int]string), ended: make(map[int]time.Time)}
	failed := make(map[int]bool)
	for _, e := range events {
		if e.Event == session.EventFailed {
			failed[e.Number] = true
		}
	}
	for _, e := range events {
		switch e.Event {
		case session.EventPacket:
			data, _ := hex.DecodeString(e.Hex) // invalid hex gives an invalid packet
			packet := crossed{e, readDatagram(data)}
			switch {
			case e.Direction == session.Read:
				j.read = append(j.read, packet)
				j.packets[e.Number] = packet
			case !failed[e.Number] && !unasked(&packet):
				j.written = append(j.written, packet)
			}
		case session.EventDelivered:
			j.delivered[e.Number] = moment{e.Time, e.Call}
		case session.EventDropped:
			j.dropped[e.Number] = true
		case session.EventHandler:
			if e.Number != 0 {
				j.handled[e.Number] = e.Why
			}
		case session.EventRefused:
			if e.ReplyTo != 0 {
				j.refused[e.ReplyTo] = e.Why
			}
		case session.EventCall:
			j.ended[e.Call] = e.Time
		}
	}
	return j
}

// wholeAt returns when the last of these packets arrived, and when the agent had all of
// them. The latter is zero if the agent never got one of them.
func (j *journal) wholeAt(numbers []int) (arrived time.Time, read moment) {
	all := len(numbers) > 0
	for _, number := range numbers {
		if at := j.packets[number].Time; at.After(arrived) {
			arrived = at
		}
		m, ok := j.delivered[number]
		all = all && ok
		if m.at.After(read.at) {
			read = m
		}
	}
	if !all {
		return arrived, moment{}
	}
	return arrived, read
}

// allInjected reports whether all of these packets came through the control socket, so
// that no program of the peer waits for an answer.
func (j *journal) allInjected(numbers []int) bool {
	return !slices.ContainsFunc(numbers, func(n int) bool { return !j.packets[n].Injected })
}

// lost returns the reason why a request with these packets got no answer.
func (j *journal) lost(numbers []int) string {
	if len(numbers) == 0 {
		return "it never reached the link"
	}
	delivered := true
	for _, number := range numbers {
		if why, ok := j.refused[number]; ok {
			return "its answer was refused: " + why
		}
		if j.dropped[number] {
			return "the full queue dropped it before the agent read it"
		}
		_, ok := j.delivered[number]
		if why, by := j.handled[number]; by && !ok {
			if why == "dropped" {
				return "the handler dropped it"
			}
			return "the handler failed on it, and the agent never read it: " + why
		}
		delivered = delivered && ok
	}
	if !delivered {
		return "the agent never read it"
	}
	return "the agent read it but never answered"
}
