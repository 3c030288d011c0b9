package ping

import "time"

// A ledger knows which of the latest 65,536 requests are open. Sequence numbers
// wrap; the entry of an old request is taken over by the new one.
type ledger struct {
	sent   int    // requests, ever
	acked  uint16 // the latest request that was answered
	pipe   int    // the most requests that were open when a reply came
	open   int    // requests neither answered nor failed
	states [1 << 16]state
	times  [1 << 16]time.Time // of sending
}

type state byte

const (
	unused state = iota
	waiting
	failed // an error came for it; a reply may still
	answered
)

// next opens the next request and returns its sequence number, from 1.
func (l *ledger) next(now time.Time) uint16 {
	l.sent++
	seq := uint16(l.sent)
	if l.states[seq] != waiting {
		l.open++ // else the old request was never answered, and is forgotten
	}
	l.states[seq], l.times[seq] = waiting, now
	return seq
}

// reply notes a reply and returns what its request was until then.
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

// fail notes that an error came for a request, or that it was never sent.
func (l *ledger) fail(seq uint16) {
	if l.states[seq] == waiting {
		l.open--
		l.states[seq] = failed
	}
}

// inFlight is how many requests were sent after the latest that was answered.
func (l *ledger) inFlight() int {
	if n := uint16(l.sent) - l.acked; n <= 0x7fff {
		return min(int(n), l.open)
	}
	return l.open
}
