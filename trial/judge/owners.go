package judge

import "time"

// owners finds the request that a packet belongs to.
type owners struct {
	requests []Request
	begun    []time.Time    // when each request's first packet reached the link
	numbers  map[int]int    // request of each packet from the peer, by packet number
	triggers []map[int]bool // numbers of the packets from the peer, for each request
	talks    map[talk][]int // requests with that talk, in order
	journal  *journal
}

func newOwners(requests []Request, j *journal) *owners {
	o := &owners{requests: requests, numbers: make(map[int]int), talks: make(map[talk][]int), journal: j}
	for i, r := range requests {
		o.begun = append(o.begun, firstArrival(r, j))
		o.triggers = append(o.triggers, make(map[int]bool))
		for _, number := range r.Numbers {
			o.own(number, i)
		}
		for _, data := range r.Packets {
			d := readDatagram(data)
			if t, ok := talkOf(&d); ok {
				o.talks[t] = append(o.talks[t], i)
				o.talks[t.anywhere()] = append(o.talks[t.anywhere()], i)
			}
		}
	}
	for i := range j.read {
		p := &j.read[i]
		if _, known := o.numbers[p.Number]; known {
			continue
		}
		if t, ok := talkOf(&p.datagram); ok {
			if owner := o.latest(o.talks[t], p.Time); owner >= 0 {
				o.own(p.Number, owner)
			}
		}
	}
	return o
}

func (o *owners) own(number, request int) {
	o.numbers[number] = request
	o.triggers[request][number] = true
}

// latest returns which of some requests had begun last at a time. If none had begun, it
// returns the first, and if there are none, -1.
func (o *owners) latest(some []int, at time.Time) int {
	best := -1
	for _, i := range some {
		if !o.begun[i].After(at) && (best < 0 || !o.begun[i].Before(o.begun[best])) {
			best = i
		}
	}
	if best < 0 && len(some) > 0 {
		return some[0]
	}
	return best
}

// of returns the request that a written packet belongs to, or -1 if it answers other
// traffic. related is false if the packet has nothing in common with that request, which
// is merely the one that began last.
func (o *owners) of(w *crossed) (request int, related bool) {
	if i, ok := o.numbers[w.ReplyTo]; ok && w.ReplyTo != 0 {
		return i, true
	}
	if t, ok := talkOf(&w.datagram); ok {
		if i := o.latest(o.talks[t], w.Time); i >= 0 {
			return i, true
		}
		if i := o.latest(o.talks[t.anywhere()], w.Time); i >= 0 && w.ReplyTo == 0 {
			return i, true
		}
	}
	if _, ok := o.journal.packets[w.ReplyTo]; !ok && w.ReplyTo != 0 {
		return -1, false
	}
	var all, answerable []int
	for i, r := range o.requests {
		all = append(all, i)
		if !r.Leave {
			answerable = append(answerable, i)
		}
	}
	if len(answerable) > 0 {
		return o.latest(answerable, w.Time), false
	}
	if w.ReplyTo != 0 {
		return -1, false // it answers other traffic
	}
	return o.latest(all, w.Time), false
}
