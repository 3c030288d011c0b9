package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The three parts of the page. Go computes the drawings and page.html only inserts them, so
// html/template escapes every string that came from a packet. page.js only shows the text
// of the mark under the pointer.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageJS string
)

// pageCSS is the style of the page and the ladder.
var pageCSS = pageStyle + ladder.CSS

// pageTemplate is page.html with the ladder's template.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"time":     ladder.Time,
	"timeOf":   timeOf,
	"count":    ladder.Count,
	"calls":    func(t score.Tally) string { return formatMean(t.CallsPerPacket()) },
	"request":  func(t score.Tally) string { return formatMean(t.CallsPerRequest()) },
	"charsOut": func(t score.Tally) string { return formatMean(t.CharsPerReply()) },
	"chars":    func(t score.Tally) string { return formatMean(t.CharsPerPacket()) },
	"rate":     rateOf,
	"interval": intervalOf,
	"ms":       func(seconds float64) float64 { return 1e3 * seconds },
	"flip":     func(p position) position { return 100 - p }, // SVG measures from the top
	"line":     func(s string) string { return ladder.Line(s, longestLine) },
	"short":    func(s string) string { return ladder.Line(s, 40) },
}).Parse(pageHTML + ladder.HTML))

// WritePage writes a report as one HTML page that needs no network and no other file. Its
// content security policy allows only its own script and style.
func WritePage(w io.Writer, r *score.Report) error {
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, newPage(r)); err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// page is the data of page.html.
type page struct {
	*score.Report
	CSS    template.CSS // constant, like JS: without data from the report
	JS     template.JS
	Policy string

	Who, AssistText, AssistUsed string
	SettingsText, UsageText     string
	HandlerText                 string
	When                        string
	Passed                      int
	ResponseAll                 score.Distribution
	Rows                        []row
	Faults                      []pageFault
	Cards                       []card
}

// row is a scenario in the overview.
type row struct {
	Name    string
	Anchor  string
	Result  score.Result
	Verdict string
	Low     position // low end of the rate's interval
	Value   position
	Span    position
	Parts   []part
	PartSum string
}

// part is a part of a round trip.
type part struct {
	Name string
	X, W position
	Text string
	Tip  string
}

func newPage(r *score.Report) page {
	p := page{
		Report: r, CSS: template.CSS(pageCSS), JS: template.JS(pageJS),
		Policy: "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + hashOf(pageCSS) + "; script-src " + hashOf(pageJS),
		Who:    whoOf(r), AssistText: assistOf(r), AssistUsed: assistUsedOf(r), SettingsText: settingsOf(r), UsageText: usageOf(r.Usage), HandlerText: handlerOf(r),
		When: r.Started.UTC().Format(time.DateTime + " UTC"),
	}
	p.ResponseAll = r.InAll().Response
	for i, s := range r.Scenarios {
		anchor := fmt.Sprintf("s%d", i+1)
		p.Rows = append(p.Rows, newRow(anchor, s))
		p.Cards = append(p.Cards, newCard(anchor, s, r.Settings.Deadline))
		if s.Passed {
			p.Passed++
		}
	}
	if len(p.Cards) > 0 {
		p.Cards[0].LadderOpen = true
	}
	p.Faults = newFaults(r)
	return p
}

// hashOf returns the source expression that allows text in a content security policy.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func newRow(anchor string, s score.Result) row {
	rate := s.Tally.Rate
	whole := axis{high: 1}
	r := row{Name: s.Scenario, Anchor: anchor, Result: s, Verdict: verdictOf(s)}
	r.Low, r.Value, r.Span = whole.at(rate.Low), whole.at(rate.Value), whole.at(rate.High)-whole.at(rate.Low)
	sum := 0.0
	parts := partsOf(s.Parts)
	for i := range parts {
		if !measured(parts[i].median) {
			parts[i].median = 0
		}
		sum += parts[i].median
	}
	at := position(0)
	for _, p := range parts {
		width := position(0)
		if sum > 0 {
			width = position(100 * p.median / sum)
		}
		r.Parts = append(r.Parts, part{p.name, at, width, p.text, fmt.Sprintf("%s: %s, %s of the sum", p.name, p.text, Share(float64(width)/100))})
		at += width
	}
	if r.PartSum = unknown; sum > 0 {
		r.PartSum = ladder.Time(sum)
	}
	return r
}

// namedPart is the median of one of score.Parts.
type namedPart struct {
	name   string
	median float64
	text   string
}

// partsOf returns the parts in chronological order.
func partsOf(p score.Parts) []namedPart {
	var list []namedPart
	for _, part := range []struct {
		name string
		d    score.Distribution
	}{{"queue", p.Queue}, {"tool", p.Tool}, {"agent", p.Agent}, {"device", p.Device}} {
		list = append(list, namedPart{part.name, part.d.Median, timeOf(part.d, part.d.Median)})
	}
	return list
}

// HasParts reports whether the parts of any scenario are known.
func (p page) HasParts() bool {
	return slices.ContainsFunc(p.Rows, func(r row) bool { return r.PartSum != unknown })
}
