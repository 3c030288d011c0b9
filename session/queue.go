package session

// queueBytes bounds the packet data in a queue, in bytes, to what the record
// holds. A bound on packets alone is not enough, because the sender chooses
// their size.
const queueBytes = RecordBytes

// queue holds the packets that wait for a reader, oldest first. It is bounded
// in packets and in bytes, and drops the oldest when full: a slow agent should
// read recent packets, not those whose senders gave up long ago.
type queue struct {
	ring  []*Packet // its fixed length is the bound in packets
	head  int       // index of the oldest
	count int
	bytes int // total packet data
}

func newQueue(bound int) queue { return queue{ring: make([]*Packet, bound)} }

// push adds p as the newest and calls drop with every packet it displaces.
func (q *queue) push(p *Packet, drop func(*Packet)) {
	for q.count == len(q.ring) || q.count > 0 && q.bytes+len(p.Data) > queueBytes {
		drop(q.pop())
	}
	q.ring[(q.head+q.count)%len(q.ring)] = p
	q.count++
	q.bytes += len(p.Data)
}

// each calls see with the packets, oldest first, until it returns false.
func (q *queue) each(see func(*Packet) bool) {
	for i := range q.count {
		if !see(q.ring[(q.head+i)%len(q.ring)]) {
			return
		}
	}
}

// pop removes and returns the oldest packet, or nil.
func (q *queue) pop() *Packet {
	if q.count == 0 {
		return nil
	}
	p := q.ring[q.head]
	q.ring[q.head] = nil // the queue must not keep the packet alive
	q.head = (q.head + 1) % len(q.ring)
	q.count--
	q.bytes -= len(p.Data)
	return p
}
