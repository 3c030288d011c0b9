package judge

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// journal is a scenario's events in the order that the judge asks for them.
type journal struct {
	read      []crossed         // packets that reached the link from the peer
	written   []crossed         // packets that reached the peer, in the order written
	packets   map[int]crossed   // those read, by number
	delivered map[int]moment    // when a packet was handed to the agent, by number
	dropped   map[int]bool      // packets that fell out of the full queue
	refused   map[int]string    // why an answer was not sent, by the number of the packet that it answers
	ended     map[int]time.Time // calls, by their number
}

// crossed is a packet that crossed the link.
type crossed struct {
	session.Event
	datagram
}

// moment is a time in a call.
type moment struct {
	at   time.Time
	call int // number; 0: not known
}

func newJournal(events []session.Event) *journal {
	j := &journal{packets: make(map[int]crossed), delivered: make(map[int]moment), dropped: make(map[int]bool),
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
			data, _ := hex.DecodeString(e.Hex) // what is not hex is no IP packet either
			packet := crossed{e, readDatagram(data)}
			switch {
			case e.Direction == session.Read:
				j.read = append(j.read, packet)
				j.packets[e.Number] = packet
			case !failed[e.Number]:
				j.written = append(j.written, packet)
			}
		case session.EventDelivered:
			j.delivered[e.Number] = moment{e.Time, e.Call}
		case session.EventDropped:
			j.dropped[e.Number] = true
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

// wholeAt returns when the last of some packets arrived, and when it was handed
// to the agent; zero if one of them was not.
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

// allInjected says whether some packets came through the control socket: no
// program of the peer's sent them, and none waits for an answer.
func (j *journal) allInjected(numbers []int) bool {
	return !slices.ContainsFunc(numbers, func(n int) bool { return !j.packets[n].Injected })
}

// lost says why a request of these packets got no answer.
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
		delivered = delivered && ok
	}
	if !delivered {
		return "the agent never read it"
	}
	return "the agent read it and never answered"
}
