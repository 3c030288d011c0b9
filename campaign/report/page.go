package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page's two parts
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"net/url"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/ladder"
	trialreport "github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The page has two parts. Go computes everything that is drawn.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"interval": trialreport.Interval,
	"rate":     rate,
	"time":     duration,
	"each":     func(total, requests int) string { return perRequest(float64(total), requests) },
	"add":      func(a, b int) int { return a + b },
	"dollars":  dollars,
	"short":    func(text string) string { return ladder.Line(text, 300) },
	"trial":    func(cell string) string { return "trials/" + url.PathEscape(cell) + ".html" },
}).Parse(pageHTML))

// page is the data of page.html.
type page struct {
	*Summary
	CSS      template.CSS // page.css unchanged: it contains no data
	Policy   string
	Headline string
	Rows     []pageRow
	Compared []pageDifference
	Lists    []pageList
	Axis     []tick
	Any      bool // there are response times
}

// pageRow is an entrant with the positions of what is drawn, from 0 to 100.
type pageRow struct {
	Entrant
	Place            int
	Low, Value, Span float64 // rate and its interval
	Median, P95      float64 // response times, on the logarithmic axis
	Squares          []pageSquare
	Faults           []pageFault
	CostRight        string // cost of each right answer
}

type pageSquare struct {
	Square
	Anchor string
	Shade  string // a class: s0 (all wrong) to s10 (all right)
}

type pageFault struct {
	Kind  string
	N     int
	Width float64
}

// pageList is the list of a square's cells.
type pageList struct {
	Anchor, Title string
	Cells         []pageCell
}

type pageCell struct {
	record.Record
	Linked bool
	Class  string
}

type tick struct {
	X    float64
	Text string
}

// WritePage writes the summary to path as one HTML page. The page is self-contained,
// and links to the pages of the trials whose cells are in has.
func WritePage(path string, s *Summary, has map[string]bool) error {
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, newPage(s, has)); err != nil {
		return fmt.Errorf("making the report's page: %w", err)
	}
	if err := score.Replace(path, out.Bytes()); err != nil {
		return fmt.Errorf("writing the report's page: %w", err)
	}
	return nil
}

// WriteTrialPage writes the page of one trial, made from its JSON.
func WriteTrialPage(from, to string) error {
	found, err := score.Load(from)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := trialreport.WritePage(&out, found); err != nil {
		return err
	}
	if err := score.Replace(to, out.Bytes()); err != nil {
		return fmt.Errorf("writing a trial's page: %w", err)
	}
	return nil
}

func newPage(s *Summary, has map[string]bool) page {
	sum := sha256.Sum256([]byte(pageCSS))
	p := page{Summary: s, CSS: template.CSS(pageCSS), Headline: s.headline(),
		Policy: "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"}
	axis := newAxis(s.Entrants)
	p.Axis, p.Any = axis.ticks(), axis.any
	p.Compared = drawDifferences(s.Differences)
	for i, e := range s.Entrants {
		row := pageRow{Entrant: e, Place: i + 1, CostRight: unknown}
		if e.Done > 0 {
			row.Low, row.Value = 100*e.Tally.Rate.Low, 100*e.Tally.Rate.Value
			row.Span = 100*e.Tally.Rate.High - row.Low
		}
		if e.UsageRight > 0 {
			row.CostRight = dollars(e.Usage.CostUSD / float64(e.UsageRight))
		}
		row.Median, row.P95 = axis.at(e.Response.Median), axis.at(e.Response.P95)
		for j, square := range e.Squares {
			anchor := fmt.Sprintf("e%d-s%d", i+1, j+1)
			drawn := pageSquare{Square: square, Anchor: anchor, Shade: "none"}
			if square.Sent > 0 {
				drawn.Shade = fmt.Sprintf("s%d", int(math.Floor(10*square.Rate.Value)))
			}
			row.Squares = append(row.Squares, drawn)
			p.Lists = append(p.Lists, newList(anchor, e.Label, square, has))
		}
		kinds := e.kinds()
		for _, kind := range kinds {
			row.Faults = append(row.Faults, pageFault{kind, e.Tally.Faults[kind], 100 * float64(e.Tally.Faults[kind]) / float64(e.Tally.Faults[kinds[0]])})
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func newList(anchor, label string, square Square, has map[string]bool) pageList {
	list := pageList{Anchor: anchor, Title: label + ", " + square.Scenario}
	for _, r := range square.Records {
		cell := pageCell{Record: r, Linked: has[r.Cell], Class: "not"}
		switch {
		case r.State != record.Done:
			cell.Class = "none"
		case r.Passed:
			cell.Class = "passed"
		}
		list.Cells = append(list.Cells, cell)
	}
	return list
}

// logAxis is a logarithmic axis in milliseconds, over whole decades.
type logAxis struct {
	low, high float64 // exponents of ten
	any       bool
}

func newAxis(entrants []Entrant) logAxis {
	var a logAxis
	for _, e := range entrants {
		if e.Response.N == 0 || e.Response.Median <= 0 {
			continue
		}
		low, high := math.Floor(math.Log10(e.Response.Median)), math.Ceil(math.Log10(e.Response.P95))
		if !a.any {
			a = logAxis{low, high, true}
		}
		a.low, a.high = min(a.low, low), max(a.high, high)
	}
	if a.high <= a.low {
		a.high = a.low + 1
	}
	return a
}

func (a logAxis) at(ms float64) float64 {
	if ms <= 0 {
		return 0
	}
	return 100 * (math.Log10(ms) - a.low) / (a.high - a.low)
}

func (a logAxis) ticks() []tick {
	var ticks []tick
	for e := a.low; e <= a.high; e++ {
		ms := math.Pow(10, e)
		ticks = append(ticks, tick{a.at(ms), tickText(ms)})
	}
	return ticks
}
