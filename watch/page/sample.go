package page

import "time"

// Budgets of a ladder: rungs a second, and the burst after a pause.
const (
	packetRate, packetBurst   = 40, 160
	callRate, callBurst       = 8, 40
	troubleRate, troubleBurst = 10, 40 // separate, so that other rungs do not crowd out refused packets, faults and notes
)

// budget is a token bucket.
type budget struct {
	rate, burst float64 // tokens a second; size of the bucket
	left        float64
	at          time.Time
}

func newBudget(rate, burst float64) budget { return budget{rate: rate, burst: burst, left: burst} }

// take takes a token at time now, and reports whether there was one.
func (b *budget) take(now time.Time) bool {
	if !b.at.IsZero() {
		b.left = min(b.burst, b.left+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// meter measures the rates of packets and of those that the ladder shows.
type meter struct {
	began       time.Time
	seen, shown int
	Rate        float64 `json:"rate"`  // packets a second, over the last second
	Shown       float64 `json:"shown"` // packets a second that the ladder shows
}

func (m *meter) count(now time.Time, passed int, shown bool) {
	m.turn(now)
	m.seen += passed
	if shown {
		m.shown++
	}
}

// turn starts a new second if the current one has passed, and reports whether the
// rate changed.
func (m *meter) turn(now time.Time) (changed bool) {
	if m.began.IsZero() {
		m.began = now
	}
	past := now.Sub(m.began).Seconds()
	if past < 1 {
		return false
	}
	was := *m
	m.Rate, m.Shown = float64(m.seen)/past, float64(m.shown)/past
	m.began, m.seen, m.shown = now, 0, 0
	return was.Rate != m.Rate || was.Shown != m.Shown
}
