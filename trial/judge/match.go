package judge

import "bytes"

// How much an answer resembles what a request wants: the sum of what is equal.
// Data weigh most: they differ from ping to ping, and are copied, not counted.
const (
	sameID   = 2
	sameSeq  = 4
	sameData = 5
)

// attribute gives each answer to one request. What it names by reply_to or by
// its flow comes first, but a name is not on the wire: an answer that is wrong
// for the one it names and exactly right for another, which has no right one,
// belongs to that. What names nothing goes to the request it resembles most.
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
	// What resembles nothing comes last: it answers a request that has no other
	// answer, else it is a stray.
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
	right []bool // by request: it has an answer that is right
	taken []bool // by request: it has any answer
}

// rightlyNamed returns the request that a names and answers rightly.
func (m *matching) rightlyNamed(a *answer) int {
	if i := a.label; i >= 0 && m.claim(i, a) {
		return i
	}
	return -1
}

// rightFor returns the first request that a answers rightly, whatever it names.
func (m *matching) rightFor(a *answer) int {
	for i := range m.all {
		if m.all[i].readBefore(a) && m.claim(i, a) {
			return i
		}
	}
	return -1
}

// claim says whether a is the one right answer to request i, and notes it. What
// must be left alone has no right answer.
func (m *matching) claim(i int, a *answer) bool {
	if m.right[i] || m.all[i].Leave || !m.all[i].want.fits(a) {
		return false
	}
	m.right[i] = true
	return true
}

// named returns the request that a names, or one that it resembles more if
// that one has been answered already.
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

// resembling returns the request that a resembles most among those that the
// agent had read. Of equals, one not answered yet, then one to be answered at
// all, then the first.
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

// nearest returns the first request without an answer of those that had arrived
// when a was written, else the last one that had; among what must be left alone
// only if there is nothing else.
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

// readBefore says whether the agent had all of q when it wrote a.
func (q *asked) readBefore(a *answer) bool {
	return !q.read.at.IsZero() && !q.read.at.After(a.at())
}

// elsewhere says whether a answers a packet that is no request of the scenario.
func (a *answer) elsewhere() bool {
	for _, p := range a.packets {
		if p.ReplyTo != 0 && a.label < 0 {
			return true
		}
	}
	return false
}

// fits says whether a is a right answer.
func (r *reply) fits(a *answer) bool {
	return r.resembles(a) == sameID+sameSeq+sameData && len(r.compare(a)) == 0
}

// resembles says how much of what r wants is in a.
func (r *reply) resembles(a *answer) (n int) {
	body := a.body
	if body == nil {
		body = a.first().body
	}
	idSeq, data, ok := echoOf(body)
	wantIDSeq, wantData, known := echoOf(r.body)
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
