package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Progress shows how a trial is getting on: on a terminal one line a scenario,
// rewritten as it goes, elsewhere a plain line when it ends. A nil Progress shows
// nothing. Its methods may be called from any goroutine.
type Progress struct {
	live  bool // w is a terminal
	width int
	now   func() time.Time

	mu     sync.Mutex // guards what follows
	w      io.Writer
	name   string
	tally  score.Tally // so far
	drawn  time.Time   // when the live line was last drawn
	length int         // of the live line
}

// redrawEvery is the least time between two drawings of the live line.
const redrawEvery = 100 * time.Millisecond

// NewProgress returns a Progress on w, its lines at most width columns wide
// (0: 80).
func NewProgress(w io.Writer, width int) *Progress {
	if width <= 0 {
		width = 80
	}
	return &Progress{live: onTerminal(w), width: width, now: time.Now, w: w}
}

// Begin begins a scenario.
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

// Add counts one exchange whose outcome is known.
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

// End ends the scenario with what it found.
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
		line += ", median " + formatTime(r.RoundTrip.Median)
	}
	line += ": " + verdictOf(r)
	if r.Reason != "" && r.Tally.Sent == 0 { // the others' reasons stand in the table
		line += ", " + r.Reason
	}
	if p.live {
		p.rewrite(line)
		fmt.Fprintln(p.w)
		p.length = 0
		return
	}
	fmt.Fprintln(p.w, printableLine(line, longestLine))
}

// Say prints a line while no scenario runs.
func (p *Progress) Say(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, printableLine(fmt.Sprintf(format, args...), longestLine))
}

// state says the counts so far.
func (p *Progress) state() string {
	counts := fmt.Sprintf("%s: %s of %s right", p.name, formatCount(p.tally.Right), formatCount(p.tally.Sent))
	for _, c := range []struct {
		n    int
		what string
	}{{p.tally.Wrong, score.Wrong}, {p.tally.Lost, score.Lost}, {p.tally.Late, score.Late}} {
		if c.n > 0 {
			counts += fmt.Sprintf(", %s %s", formatCount(c.n), c.what)
		}
	}
	return counts
}

func (p *Progress) draw() {
	p.drawn = p.now()
	p.rewrite(p.state())
}

// rewrite replaces the live line. It leaves the last column free: a terminal
// that has filled it goes on to the next line, which \r does not undo.
func (p *Progress) rewrite(line string) {
	line = printableLine(line, p.width-1)
	length := textWidth(line)
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(p.length-length, 0)))
	p.length = length
}
