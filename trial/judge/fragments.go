package judge

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"
)

// answer is a packet that the agent wrote, or the fragments of one.
type answer struct {
	packets []crossed
	label   int // index of the request that it names by reply_to or by its flow, or -1

	protocol byte
	body     []byte // reassembled
	missing  string // why there is no body that a receiver accepts; "" if there is one
	carried  int    // bytes of data in all fragments
	end      int    // end of the last fragment, in bytes; 0 if there is none yet
}

func (a *answer) first() *crossed { return &a.packets[0] }
func (a *answer) last() *crossed  { return &a.packets[len(a.packets)-1] }

// at returns when the answer was complete.
func (a *answer) at() time.Time { return a.last().Time }

// pieces identifies what the fragments of one packet share, apart from addresses.
type pieces struct {
	version int
	id      uint32
}

// mostOpen is how many unfinished answers with one identification are kept open. More come
// only from an agent that floods.
const mostOpen = 16

// answersOf groups the written packets into answers, ordered by their first packets. If
// once is set it leaves out repeated fragments. Label returns the index of the request that
// a packet number belongs to, or -1.
func answersOf(written []crossed, once bool, label func(number int) int) []*answer {
	var answers []*answer
	open := make(map[pieces][]*answer)
	for _, packet := range written {
		named := label(packet.ReplyTo)
		if !packet.fragment || packet.broken != "" {
			a := &answer{packets: []crossed{packet}, label: named}
			a.assemble()
			answers = append(answers, a)
			continue
		}
		key := pieces{packet.version, packet.id}
		waiting := open[key]
		if once && slices.ContainsFunc(waiting, func(a *answer) bool { return a.has(packet) }) {
			continue // a receiver has it already
		}
		i := slices.IndexFunc(waiting, func(a *answer) bool { return a.takes(packet, named) })
		if i < 0 {
			a := &answer{label: -1, missing: unfinished}
			answers = append(answers, a)
			waiting = append(waiting[max(len(waiting)-mostOpen+1, 0):], a)
			i = len(waiting) - 1
		}
		if waiting[i].add(packet, named) {
			waiting = slices.Delete(waiting, i, i+1)
		}
		open[key] = waiting
	}
	for _, a := range answers {
		if a.missing == unfinished {
			a.assemble()
		}
	}
	if once {
		return withoutRemains(answers)
	}
	return answers
}

// unfinished is what an answer lacks until all of its fragments are there.
const unfinished = "some fragments"

// add adds a fragment, and reports whether a receiver has the whole answer now.
func (a *answer) add(packet crossed, named int) bool {
	a.packets = append(a.packets, packet)
	if a.label < 0 {
		a.label = named
	}
	a.carried += len(packet.body)
	if !packet.more {
		a.end = packet.offset + len(packet.body)
	}
	if a.end == 0 || a.carried != a.end {
		return false
	}
	if a.assemble(); a.missing != "" { // a fragment is wrong
		a.missing = unfinished
		return false
	}
	return true
}

// withoutRemains returns answers without those whose fragments all repeat fragments of
// another one that is whole: a receiver drops them in the end.
func withoutRemains(answers []*answer) []*answer {
	whole := make(map[string]bool) // fragments
	for _, a := range answers {
		for _, p := range a.packets {
			if p.fragment && a.missing == "" {
				whole[string(p.data)] = true
			}
		}
	}
	return slices.DeleteFunc(answers, func(a *answer) bool {
		return a.missing != "" && !slices.ContainsFunc(a.packets, func(p crossed) bool { return !whole[string(p.data)] })
	})
}

// has reports whether a has the very same fragment.
func (a *answer) has(packet crossed) bool {
	return slices.ContainsFunc(a.packets, func(p crossed) bool { return p.offset == packet.offset && bytes.Equal(p.data, packet.data) })
}

// takes reports whether a fragment with a's version and identification may belong to a. It
// ignores addresses, because a wrong one would split the answer and count as more than one
// mistake.
func (a *answer) takes(packet crossed, named int) bool {
	if a.label >= 0 && named >= 0 && a.label != named {
		return false
	}
	for _, p := range a.packets {
		if packet.offset == p.offset {
			return false // it belongs to another answer with the same identification
		}
	}
	return true
}

// assemble reassembles the body (RFC 791 section 3.2, RFC 8200 section 4.5), or sets
// missing to the reason why it cannot.
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
			a.missing = fmt.Sprintf("there is no fragment that begins at byte %d", len(a.body))
			return
		}
		if last := i == len(pieces)-1; last == p.more {
			format := "the fragment that ends at byte %d is not the last, but lacks the more-fragments flag"
			if last {
				format = "there is no fragment that begins at byte %d"
			}
			a.missing = fmt.Sprintf(format, len(a.body)+len(p.body))
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
