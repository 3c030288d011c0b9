package judge

import "bytes"

// How much an answer resembles the reply that a request requires is the sum of the weights
// of its equal fields. Data has the largest weight, because it differs between pings and
// agents copy it.
const (
	sameID   = 2
	sameSeq  = 4
	sameData = 5
)

// attribute attributes each answer to one request, normally to the one that it names by
// reply_to or by its flow. But a name is not on the wire: if an answer is wrong for that
// request and exactly right for another without a right answer, it belongs to the other.
// An answer that names no request belongs to the one that it resembles most.
func attribute(all []asked, answers []*answer) {
	m := matching{all: all, right: make([]bool, len(all)), taken: make([]bool, len(all))}
	to := make([]int, len(answers))
	for k := range to {
		to[k] = -1
	}
	for _, choose := range []func(*answer) int{m.rightlyNamed, m.rightFor, m.named, m.resembling} {
		for k, a := range answers {
			if to[k] < 0 {
				if to[k] = choose(a); to[k] >= 0 {
					m.taken[to[k]] = true
				}
			}
		}
	}
	for k, a := range answers {
		if to[k] >= 0 {
			all[to[k]].answers = append(all[to[k]].answers, a)
		}
	}
	// Answers that resemble no request come last. Each goes to a request without an
	// answer, or else is a stray.
	for k, a := range answers {
		if to[k] >= 0 || a.elsewhere() || len(all) == 0 {
			continue
		}
		q := &all[m.nearest(a)]
		if len(q.answers) == 0 {
			q.answers = append(q.answers, a)
		} else {
			q.strays = append(q.strays, a)
		}
	}
}

type matching struct {
	all   []asked
	right []bool // whether a request has a right answer, by index
	taken []bool // whether a request has an answer, by index
}

// rightlyNamed returns the request that a names, if a is a right answer to it, or -1.
func (m *matching) rightlyNamed(a *answer) int {
	if i := a.label; i >= 0 && m.claim(i, a) {
		return i
	}
	return -1
}

// rightFor returns the first request to which a is a right answer, whatever it names, or
// -1.
func (m *matching) rightFor(a *answer) int {
	for i := range m.all {
		if m.all[i].readBefore(a) && m.claim(i, a) {
			return i
		}
	}
	return -1
}

// claim reports whether a is the first right answer to request i, and records it. A
// request that must be ignored has no right answer.
func (m *matching) claim(i int, a *answer) bool {
	if m.right[i] || m.all[i].Leave || !m.all[i].want.fits(a) {
		return false
	}
	m.right[i] = true
	return true
}

// named returns the request that a names, or -1. If that request has an answer already,
// it returns an unanswered one that a resembles more, if there is one.
func (m *matching) named(a *answer) int {
	if a.label < 0 || !m.taken[a.label] {
		return a.label
	}
	best, most := a.label, m.all[a.label].want.resembles(a)
	for i := range m.all {
		if n := m.all[i].want.resembles(a); n > most && !m.taken[i] && m.all[i].readBefore(a) {
			best, most = i, n
		}
	}
	return best
}

// resembling returns the request that a resembles most, among those that the agent had
// read, or -1. Among equals it prefers one without an answer, then one that may be
// answered, then the first.
func (m *matching) resembling(a *answer) int {
	best, most := -1, 0
	least := 1
	if a.elsewhere() {
		least = sameID + sameSeq
	}
	for i := range m.all {
		q := &m.all[i]
		n := q.want.resembles(a)
		if n < least || !q.readBefore(a) {
			continue
		}
		rank := n * 4
		if !m.taken[i] {
			rank += 2
		}
		if !q.Leave {
			rank++
		}
		if rank > most {
			best, most = i, rank
		}
	}
	return best
}

// nearest returns the first request without an answer among those that had arrived when a
// was written, or else the last of them. It returns a request that must be ignored only
// if there are no others.
func (m *matching) nearest(a *answer) int {
	last, lastLeave := -1, 0
	for i := range m.all {
		q := &m.all[i]
		switch {
		case q.Leave:
			if !q.arrived.After(a.at()) {
				lastLeave = i
			}
		case last < 0 || !q.arrived.IsZero() && !q.arrived.After(a.at()):
			if last = i; len(q.answers) == 0 {
				return i
			}
		}
	}
	if last < 0 {
		return lastLeave
	}
	return last
}

// readBefore reports whether the agent had read all of q when it wrote a.
func (q *asked) readBefore(a *answer) bool {
	return !q.read.at.IsZero() && !q.read.at.After(a.at())
}

// elsewhere reports whether a answers a packet outside the scenario.
func (a *answer) elsewhere() bool {
	for _, p := range a.packets {
		if p.ReplyTo != 0 && a.label < 0 {
			return true
		}
	}
	return false
}

// fits reports whether a is a right answer.
func (r *reply) fits(a *answer) bool {
	return r.resembles(a) == sameID+sameSeq+sameData && len(r.compare(a)) == 0
}

// resembles returns how much a resembles r, from 0 to sameID+sameSeq+sameData.
func (r *reply) resembles(a *answer) (n int) {
	body := a.body
	if body == nil {
		body = a.first().body
	}
	identify := echoOf
	if r.protocol == protocolUDP {
		identify = portsOf
	}
	idSeq, data, ok := identify(body)
	wantIDSeq, wantData, known := identify(r.body)
	if !ok || !known {
		return 0
	}
	if idSeq>>16 == wantIDSeq>>16 {
		n += sameID
	}
	if idSeq&0xffff == wantIDSeq&0xffff {
		n += sameSeq
	}
	if bytes.Equal(data, wantData) {
		n += sameData
	}
	return n
}
