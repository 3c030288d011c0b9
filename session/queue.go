package session

// queue holds the packets that wait for a reader, oldest first. It is bounded
// and drops the oldest when full: a slow agent should meet live packets, not
// those whose senders gave up long ago.
type queue struct {
	ring  []*Packet // fixed length, the bound
	head  int       // index of the oldest
	count int
}

func newQueue(bound int) queue { return queue{ring: make([]*Packet, bound)} }

// push adds p as the newest and returns the packet that had to go for it, or nil.
func (q *queue) push(p *Packet) (dropped *Packet) {
	if q.count == len(q.ring) {
		dropped = q.pop()
	}
	q.ring[(q.head+q.count)%len(q.ring)] = p
	q.count++
	return dropped
}

// each calls see with the packets, oldest first, until it returns false.
func (q *queue) each(see func(*Packet) bool) {
	for i := range q.count {
		if !see(q.ring[(q.head+i)%len(q.ring)]) {
			return
		}
	}
}

// pop takes the oldest packet, nil if there is none.
func (q *queue) pop() *Packet {
	if q.count == 0 {
		return nil
	}
	p := q.ring[q.head]
	q.ring[q.head] = nil // the queue must not keep a packet alive that it gave away
	q.head = (q.head + 1) % len(q.ring)
	q.count--
	return p
}
