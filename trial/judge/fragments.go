package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// answer is what the agent wrote to say one thing: a packet, or the fragments
// of one.
type answer struct {
	packets []crossed
	label   int // index of the request that it names, by reply_to or by its flow; -1: none

	protocol byte
	body     []byte // put together
	missing  string // why there is no body, or none that a receiver takes
	carried  int    // bytes of all fragments
	end      int    // where the last fragment ends; 0: it is not there
}

func (a *answer) first() *crossed { return &a.packets[0] }
func (a *answer) last() *crossed  { return &a.packets[len(a.packets)-1] }

// at is when the answer was complete.
func (a *answer) at() time.Time { return a.last().Time }

// answersOf puts the packets written together, in the order of their first
// ones. Label says which request a packet number belongs to, -1 for none.
func answersOf(written []crossed, label func(number int) int) []*answer {
	var answers, open []*answer
	for _, packet := range written {
		named := label(packet.ReplyTo)
		i := -1
		if packet.fragment && packet.broken == "" {
			i = slices.IndexFunc(open, func(a *answer) bool { return a.takes(packet, named) })
		}
		var a *answer
		if i >= 0 {
			a = open[i]
			a.packets = append(a.packets, packet)
		} else {
			a = &answer{packets: []crossed{packet}, label: -1}
			answers = append(answers, a)
		}
		if a.label < 0 {
			a.label = named
		}
		if !packet.fragment || packet.broken != "" {
			a.assemble()
			continue
		}
		if i < 0 {
			i, open = len(open), append(open, a)
		}
		a.carried += len(packet.body)
		if !packet.more {
			a.end = packet.offset + len(packet.body)
		}
		if a.end > 0 && a.carried == a.end { // all are there, or one is wrong
			if a.assemble(); a.missing == "" {
				open = slices.Delete(open, i, i+1)
			}
		}
	}
	for _, a := range open {
		a.assemble()
	}
	return answers
}

// takes says whether a fragment may belong to a. Addresses are not asked: a
// wrong one would tear the answer apart, and count as more than it is.
func (a *answer) takes(packet crossed, named int) bool {
	if a.first().version != packet.version || a.first().id != packet.id || a.label >= 0 && named >= 0 && a.label != named {
		return false
	}
	for _, p := range a.packets {
		if packet.offset == p.offset {
			return false // of another answer with the same identification
		}
	}
	return true
}

// assemble puts the body together, RFC 791 section 3.2 and RFC 8200 section
// 4.5, or says in missing why it cannot.
func (a *answer) assemble() {
	a.body, a.missing, a.protocol = nil, "", a.first().protocol
	if p := a.first(); !p.fragment || p.broken != "" {
		a.body, a.missing = p.body, p.broken
		return
	}
	pieces := slices.Clone(a.packets)
	slices.SortStableFunc(pieces, func(p, q crossed) int { return cmp.Compare(p.offset, q.offset) })
	for i, p := range pieces {
		if p.offset != len(a.body) {
			a.missing = fmt.Sprintf("the fragments do not join at byte %d", len(a.body))
			return
		}
		if last := i == len(pieces)-1; last == p.more {
			a.missing = fmt.Sprintf("the fragments do not end at byte %d", len(a.body)+len(p.body))
			return
		}
		a.body = append(a.body, p.body...)
	}
	whole := datagram{protocol: pieces[0].protocol, body: a.body}
	if pieces[0].version == 6 {
		whole.skipExtensions()
	}
	a.protocol, a.body, a.missing = whole.protocol, whole.body, cmp.Or(whole.broken, whole.options)
}
