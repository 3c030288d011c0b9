package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Progress shows the progress of a trial: on a terminal, a live line for each scenario, and
// elsewhere a line at the end of each. A nil *Progress shows nothing. Its methods may be
// called from any goroutine.
type Progress struct {
	live  bool // w is a terminal
	width int
	now   func() time.Time

	mu     sync.Mutex // guards the fields below
	w      io.Writer
	name   string
	tally  score.Tally // so far
	drawn  time.Time   // when the live line was last drawn
	length int         // of the live line
	reason string      // of the scenario that ended last
}

// redrawEvery is the shortest time between two drawings of the live line.
const redrawEvery = 100 * time.Millisecond

// NewProgress returns a Progress that writes to w. A width of 0 means 80 columns.
func NewProgress(w io.Writer, width int) *Progress {
	if width <= 0 {
		width = 80
	}
	return &Progress{live: onTerminal(w), width: width, now: time.Now, w: w}
}

// Begin shows that a scenario begins.
func (p *Progress) Begin(scenario string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.tally = scenario, score.Tally{}
	if p.live {
		p.draw()
	}
}

// Add counts an exchange with a known outcome.
func (p *Progress) Add(e score.Exchange) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.Sent++
	switch e.Outcome {
	case score.Right:
		p.tally.Right++
	case score.Wrong:
		p.tally.Wrong++
	case score.Lost:
		p.tally.Lost++
	case score.Late:
		p.tally.Late++
	}
	if p.live && p.now().Sub(p.drawn) >= redrawEvery {
		p.draw()
	}
}

// End shows the result of a scenario.
func (p *Progress) End(r score.Result) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.tally = r.Scenario, r.Tally
	line := p.state()
	if r.Tally.Sent == 0 {
		line = r.Scenario
	}
	if r.RoundTrip.N > 0 {
		line += ", median " + ladder.Time(r.RoundTrip.Median)
	}
	line += ": " + verdictOf(r)
	if r.Reason != "" && r.Tally.Sent == 0 { // the table has the other reasons
		if r.Reason == p.reason {
			line += ", as above"
		} else {
			line += ", " + r.Reason
		}
	}
	p.reason = r.Reason
	if p.live {
		p.rewrite(line)
		fmt.Fprintln(p.w)
		p.length = 0
		return
	}
	fmt.Fprintln(p.w, ladder.Line(line, longestLine))
}

// Say prints a line. Call it only while no scenario runs.
func (p *Progress) Say(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, ladder.Line(fmt.Sprintf(format, args...), longestLine))
}

// state returns the counts so far as text.
func (p *Progress) state() string {
	counts := fmt.Sprintf("%s: %s of %s right", p.name, ladder.Count(p.tally.Right), ladder.Count(p.tally.Sent))
	for _, c := range []struct {
		n    int
		what string
	}{{p.tally.Wrong, score.Wrong}, {p.tally.Lost, score.Lost}, {p.tally.Late, score.Late}} {
		if c.n > 0 {
			counts += fmt.Sprintf(", %s %s", ladder.Count(c.n), c.what)
		}
	}
	return counts
}

func (p *Progress) draw() {
	p.drawn = p.now()
	p.rewrite(p.state())
}

// rewrite replaces the live line. It leaves the last column free, because a terminal may go
// to the next line after filling it, and \r does not go back.
func (p *Progress) rewrite(line string) {
	line = ladder.Line(line, p.width-1)
	length := textWidth(line)
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(p.length-length, 0)))
	p.length = length
}
