package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// card is the page's section about a scenario.
type card struct {
	score.Result
	Anchor     string
	Verdict    string
	Legend     []legendEntry
	Times      *timesPlot
	Share      *sharePlot
	Sums       *sumsPlot
	Ladder     []ladder.Row
	LadderOpen bool
	Table      []tableRow
	TableRest  int
}

// legendEntry is a shape with its meaning and number of marks.
type legendEntry struct {
	Shape, Name string
	N           int
}

// tableRow is an exchange in the table of exchanges.
type tableRow struct {
	score.Exchange
	Outcome string // the page's word for it
	Shape   string
	Packets string
	Found   string // kinds of fault and detail
}

// Limits of a card. The JSON has everything.
const (
	maxRows  = 2000
	openRows = 20 // longer tables are closed at first
)

func newCard(anchor string, s score.Result, deadline float64) card {
	c := card{Result: s, Anchor: anchor, Verdict: verdictOf(s)}
	c.Times = newTimesPlot(anchor+"t", s, deadline)
	c.Share = newSharePlot(anchor+"d", s)
	c.Sums = newSumsPlot(anchor+"w", s)
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

// climb builds the ladder.
func (c *card) climb(crossings []score.Crossing) {
	at := map[int]float64{}
	var rungs []ladder.Rung
	for _, crossing := range crossings {
		r := ladder.Rung{Kind: ladder.KindPacket, Number: crossing.Number, At: crossing.At, ToAgent: crossing.Direction != "write",
			Text: ladder.Line(crossing.Summary, longestLine), Bytes: crossing.Bytes, ReplyTo: crossing.ReplyTo}
		if asked, ok := at[crossing.ReplyTo]; ok && crossing.ReplyTo > 0 {
			r.Response = max(crossing.At-asked, 0)
		}
		at[crossing.Number] = crossing.At
		rungs = append(rungs, r)
	}
	ladder.MarkSilences(rungs)
	for _, r := range rungs {
		c.Ladder = append(c.Ladder, r.Row())
	}
}

// list builds the table of exchanges, in order. If there are too many, it keeps those that
// were not right and as many right ones as fit.
func (c *card) list(exchanges []score.Exchange) {
	room := maxRows
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
		} else if len(c.Table) >= maxRows {
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

// TableOpen reports whether the table is short enough to be open at first.
func (c card) TableOpen() bool { return len(c.Table) <= openRows }

// Known formats ms, or returns "–" if it was not measured.
func (r tableRow) Known(ms float64) string {
	if !measured(ms) {
		return unknown
	}
	return ladder.Time(ms)
}
