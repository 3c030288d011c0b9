package ping

import "time"

// A ledger tracks which of the latest 65,536 requests are open. Sequence
// numbers wrap, and a new request then overwrites the entry of the old one.
type ledger struct {
	sent   int    // requests sent in total
	acked  uint16 // the latest request that was answered
	pipe   int    // the most requests that were open when a reply came
	open   int    // requests neither answered nor failed
	states [1 << 16]state
	times  [1 << 16]time.Time // send times
}

type state byte

const (
	unused state = iota
	waiting
	failed // an error came for it; a reply may still come
	answered
)

// next opens the next request and returns its sequence number, from 1.
func (l *ledger) next(now time.Time) uint16 {
	l.sent++
	seq := uint16(l.sent)
	if l.states[seq] != waiting {
		l.open++ // otherwise an unanswered old request is overwritten, and the number stays the same
	}
	l.states[seq], l.times[seq] = waiting, now
	return seq
}

// reply records a reply and returns the previous state of its request.
func (l *ledger) reply(seq uint16) state {
	was := l.states[seq]
	if was == unused {
		return was
	}
	if was == waiting {
		l.open--
	}
	l.states[seq] = answered
	if behind := uint16(l.sent) - seq; behind <= 0x7fff {
		l.pipe = max(l.pipe, int(behind)+1)
		if int16(seq-l.acked) > 0 || uint16(l.sent)-l.acked > 0x7fff {
			l.acked = seq
		}
	}
	return was
}

// fail records that an error came for a request, or that it was never sent.
func (l *ledger) fail(seq uint16) {
	if l.states[seq] == waiting {
		l.open--
		l.states[seq] = failed
	}
}

// inFlight returns how many requests were sent after the latest answered one.
func (l *ledger) inFlight() int {
	if n := uint16(l.sent) - l.acked; n <= 0x7fff {
		return min(int(n), l.open)
	}
	return l.open
}
