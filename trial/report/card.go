package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// card is a scenario on the page.
type card struct {
	score.Result
	Anchor     string
	Verdict    string
	Legend     []legendEntry
	Times      *timesPlot
	Share      *sharePlot
	Ladder     []rung
	LadderOpen bool
	Table      []tableRow
	TableRest  int
}

// legendEntry is a shape, what it means and how many there are.
type legendEntry struct {
	Shape, Name string
	N           int
}

// rung is a packet on the ladder: peer left, agent right.
type rung struct {
	score.Crossing
	ToAgent bool
	After   string // time since the packet before, where that is long
	Answers string // which packet it answers, and how long after it
}

// tableRow is an exchange in the table of all.
type tableRow struct {
	score.Exchange
	Outcome string // as the page names it
	Shape   string
	Packets string
	Found   string // kinds of fault and detail
}

// Bounds of what a card shows; the JSON has everything.
const (
	mostRows    = 2000
	openRows    = 20   // a longer table is closed at first
	longSilence = 1000 // milliseconds between two packets: said, if it is long for this ladder as well
)

func newCard(anchor string, s score.Result, deadline float64) card {
	c := card{Result: s, Anchor: anchor, Verdict: verdictOf(s)}
	c.Times = newTimesPlot(anchor+"t", s, deadline)
	c.Share = newSharePlot(anchor+"d", s)
	counts := map[string]int{}
	for _, e := range s.Exchanges {
		counts[shape(e)]++
	}
	for _, name := range []string{score.Right, "alone", score.Wrong, score.Late, score.Lost} {
		if counts[name] > 0 {
			c.Legend = append(c.Legend, legendEntry{name, shapeName(name), counts[name]})
		}
	}
	c.climb(s.Crossings)
	c.list(s.Exchanges)
	return c
}

// climb makes the ladder.
func (c *card) climb(crossings []score.Crossing) {
	at := map[int]float64{}
	var silences []float64
	for i := 1; i < len(crossings); i++ {
		silences = append(silences, crossings[i].At-crossings[i-1].At)
	}
	long := max(3*score.Distribute(silences).Median, longSilence)
	for i, crossing := range crossings {
		r := rung{Crossing: crossing, ToAgent: crossing.Direction != "write"}
		if i > 0 {
			if silence := silences[i-1]; silence >= long {
				r.After = formatTime(silence)
			}
		}
		if crossing.ReplyTo > 0 {
			r.Answers = fmt.Sprintf("answers #%d", crossing.ReplyTo)
			if asked, ok := at[crossing.ReplyTo]; ok {
				r.Answers += " after " + formatTime(max(crossing.At-asked, 0))
			}
		}
		at[crossing.Number] = crossing.At
		c.Ladder = append(c.Ladder, r)
	}
}

// list makes the table of all exchanges. If they are too many, those that were
// not right go first, and the first of the others fill up.
func (c *card) list(exchanges []score.Exchange) {
	room := mostRows
	for _, e := range exchanges {
		if e.Outcome != score.Right {
			room--
		}
	}
	for _, e := range exchanges {
		if e.Outcome == score.Right {
			if room--; room < 0 {
				continue
			}
		} else if len(c.Table) >= mostRows {
			continue
		}
		r := tableRow{Exchange: e, Outcome: shapeName(shape(e)), Shape: shape(e)}
		switch {
		case e.Number > 0 && e.Answer > 0:
			r.Packets = fmt.Sprintf("#%d, #%d", e.Number, e.Answer)
		case e.Number > 0 || e.Answer > 0:
			r.Packets = fmt.Sprintf("#%d", cmp.Or(e.Number, e.Answer))
		}
		r.Found = strings.Join(e.Faults, ", ")
		if e.Detail != "" {
			if r.Found != "" {
				r.Found += ": "
			}
			r.Found += e.Detail
		}
		c.Table = append(c.Table, r)
	}
	c.TableRest = len(exchanges) - len(c.Table)
}

// TableOpen reports whether the table is short enough to stand open.
func (c card) TableOpen() bool { return len(c.Table) <= openRows }

// Known is d or "–": the template has no conditional for a number of 0.
func (r tableRow) Known(ms float64) string {
	if !measured(ms) {
		return unknown
	}
	return formatTime(ms)
}
