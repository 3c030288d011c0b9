package tun

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	laneRoom    = 4096                   // most packets in transit
	laneBytes   = 32 << 20               // most bytes in transit, since senders choose the packets' size
	reorderHold = 200 * time.Millisecond // how long a packet waits to be overtaken
)

// ImpairCounts counts what an Impaired did to the packets of one direction. Packets +
// Duplicated = Passed + Dropped + Overflowed + packets in transit.
type ImpairCounts struct {
	Packets    int // accepted
	Passed     int // delivered, including duplicates
	Dropped    int // lost on purpose
	Duplicated int
	Reordered  int // overtaken by another packet
	Overflowed int // lost because 4,096 packets or 32 MiB were in transit
}

// A lane is one direction of an impaired link. It decides the fate of each packet when
// the packet arrives, and delivers it when it is due.
type lane struct {
	rules  Impairment
	wakeUp chan struct{} // of capacity 1; signals new packets in transit

	mu     sync.Mutex // guards the fields below
	dice   *rand.Rand
	bytes  int       // total size of the packets in transit
	way    packets   // the packets in transit, a heap with the next one on top
	held   *onItsWay // the packet that waits to be overtaken; nil if there is none
	order  uint64    // the order of the latest packet
	latest time.Time // when the last packet is due, not counting a held one
	counts ImpairCounts
}

func newLane(rules Impairment, direction uint64) *lane {
	return &lane{rules: rules, wakeUp: make(chan struct{}, 1), dice: rand.New(rand.NewPCG(rules.Seed, direction))}
}

// accept takes ownership of a packet and decides its fate. It never waits.
func (l *lane) accept(packet []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Packets++
	// Roll the same dice for every packet, so that a decision depends only on the
	// seed and on the packet's place in the sequence.
	drop := l.dice.Float64() < l.rules.Drop
	duplicate := l.dice.Float64() < l.rules.Duplicate
	reorder := l.dice.Float64() < l.rules.Reorder
	jitter := time.Duration((2*l.dice.Float64() - 1) * float64(l.rules.Jitter))
	if drop {
		l.counts.Dropped++
		return
	}
	at := time.Now().Add(max(0, l.rules.Delay+jitter))
	if at.Before(l.latest) {
		at = l.latest // jitter does not reorder
	}
	overtaken := l.held
	if overtaken != nil || !reorder {
		l.put(packet, at)
		l.latest = at
	} else {
		l.held = l.put(packet, at.Add(reorderHold))
	}
	if duplicate {
		l.counts.Duplicated++
		if copied := l.put(packet, at); copied != nil {
			l.latest = at
		}
	}
	if overtaken != nil {
		l.held = nil
		l.counts.Reordered++
		l.order++
		overtaken.at, overtaken.order = at, l.order
		heap.Fix(&l.way, overtaken.index)
	}
	select {
	case l.wakeUp <- struct{}{}:
	default:
	}
}

// put adds a packet to those in transit. It returns nil if there are too many. The
// caller holds l.mu.
func (l *lane) put(packet []byte, at time.Time) *onItsWay {
	if len(l.way) >= laneRoom || l.bytes+len(packet) > laneBytes {
		l.counts.Overflowed++
		return nil
	}
	l.order++
	l.bytes += len(packet)
	p := &onItsWay{packet: packet, at: at, order: l.order}
	heap.Push(&l.way, p)
	return p
}

// run delivers packets when they are due, until ended is closed.
func (l *lane) run(ended <-chan struct{}, deliver func([]byte)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		packet, wait := l.next()
		if packet != nil {
			deliver(packet)
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-l.wakeUp:
		case <-ended:
			return
		}
		select {
		case <-ended:
			return
		default:
		}
	}
}

// next removes and returns a packet that is due. If there is none, it returns how long
// to wait.
func (l *lane) next() (packet []byte, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.way) == 0 {
		return nil, time.Hour // or until wakeUp
	}
	if wait := time.Until(l.way[0].at); wait > 0 {
		return nil, wait
	}
	p := heap.Pop(&l.way).(*onItsWay)
	if p == l.held {
		l.held = nil // nobody overtook it in time
	}
	l.bytes -= len(p.packet)
	l.counts.Passed++
	return p.packet, 0
}

func (l *lane) counted() ImpairCounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// An onItsWay is a packet in transit.
type onItsWay struct {
	packet []byte
	at     time.Time // when it is due
	order  uint64    // the order among packets due at the same time
	index  int       // its index in the heap
}

// packets is a heap with the packet that is due next on top.
type packets []*onItsWay

func (h packets) Len() int { return len(h) }

func (h packets) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].order < h[j].order
}

func (h packets) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *packets) Push(x any) {
	p := x.(*onItsWay)
	p.index = len(*h)
	*h = append(*h, p)
}

func (h *packets) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return p
}
