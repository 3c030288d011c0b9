package fleet

import (
	"time"
)

// pace measures how fast cells have ended lately.
type pace []mark

type mark struct {
	at    time.Time
	ended int // cells by then
}

// "Lately" is the last lateTime, or longer if fewer than lateCells cells ended in
// that time. At most maxMarks marks are kept.
const (
	lateTime  = time.Minute
	lateCells = 20
	maxMarks  = 3600
)

func (p *pace) note(at time.Time, ended int) {
	*p = append(*p, mark{at, ended})
	for len(*p) > 2 {
		second := (*p)[1]
		if len(*p) <= maxMarks && (at.Sub(second.at) < lateTime || ended-second.ended < lateCells) {
			break
		}
		*p = (*p)[1:]
	}
}

func (p pace) perMinute() float64 {
	if len(p) < 2 {
		return 0
	}
	first, last := p[0], p[len(p)-1]
	if took := last.at.Sub(first.at).Minutes(); took > 0 {
		return float64(last.ended-first.ended) / took
	}
	return 0
}
