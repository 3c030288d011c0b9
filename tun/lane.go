package tun

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	laneRoom    = 4096                   // packets that may be on their way
	reorderHold = 200 * time.Millisecond // how long a packet waits to be overtaken
)

// ImpairCounts says what an Impaired did to the packets of one direction.
// Packets + Duplicated = Passed + Dropped + Overflowed + those on their way.
type ImpairCounts struct {
	Packets    int // that came
	Passed     int // handed over, duplicates included
	Dropped    int // by decision
	Duplicated int
	Reordered  int // that another one overtook
	Overflowed int // lost because 4,096 were on their way
}

// A lane is one direction of an impaired link. It decides for each packet on
// its arrival, and hands it over when its time has come.
type lane struct {
	rules  Impairment
	wakeUp chan struct{} // has room for one: there is something new on its way

	mu     sync.Mutex // guards the fields below
	dice   *rand.Rand
	way    packets   // on their way, the next one to arrive first
	held   *onItsWay // waits to be overtaken; nil: none does
	order  uint64    // of the latest packet put on its way
	latest time.Time // when the last one arrives, held ones aside
	counts ImpairCounts
}

func newLane(rules Impairment, direction uint64) *lane {
	return &lane{rules: rules, wakeUp: make(chan struct{}, 1), dice: rand.New(rand.NewPCG(rules.Seed, direction))}
}

// accept takes a packet over and decides its way. It never waits.
func (l *lane) accept(packet []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Packets++
	// Each packet takes the same rolls, whatever comes of it, so that a
	// decision depends on nothing but the seed and the packet's place.
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

// put sends a packet on its way, unless there are too many: nil. l.mu is held.
func (l *lane) put(packet []byte, at time.Time) *onItsWay {
	if len(l.way) >= laneRoom {
		l.counts.Overflowed++
		return nil
	}
	l.order++
	p := &onItsWay{packet: packet, at: at, order: l.order}
	heap.Push(&l.way, p)
	return p
}

// run hands packets over in their time, until ended is closed.
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

// next returns the packet whose time has come, or how long that will take.
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
	l.counts.Passed++
	return p.packet, 0
}

func (l *lane) counted() ImpairCounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// An onItsWay is a packet on its way.
type onItsWay struct {
	packet []byte
	at     time.Time // when it arrives
	order  uint64    // among those that arrive at the same time
	index  int       // in the heap
}

// packets is a heap, the next to arrive on top.
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
