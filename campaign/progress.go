package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/campaign/report"
	"github.com/tun-mcp/tun-mcp/ladder"
)

// progress shows the progress of a campaign: on a terminal in one line, rewritten
// every second, otherwise in one line a minute.
type progress struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	width    func() int // of the terminal, in columns
	last     time.Time
	line     string // the last one shown, in full
}

// quietFor is the time between two lines if the output is not a terminal.
const quietFor = time.Minute

func newProgress(out io.Writer) *progress {
	return &progress{out: out, terminal: isTerminal(out), width: func() int { return widthOf(out) }}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// widthOf returns the width of a terminal in columns, or 80 if it is unknown.
func widthOf(out io.Writer) int {
	if file, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// fit cuts a line to a terminal's width, because only an unwrapped line can be cleared. The
// last column stays free, as some terminals go to the next line after filling it.
func fit(line string, width int) string { return ladder.Line(line, max(width-1, 1)) }

// log prints a line above the progress line.
func (p *progress) log(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, "%s  %s\n", time.Now().Format(time.TimeOnly), plain(fmt.Sprintf(format, args...)))
	p.draw()
}

// show shows the state s. The final state is always shown.
func (p *progress) show(s record.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := statusLine(s)
	over := s.Phase != "running"
	switch {
	case p.terminal:
		p.clear()
		p.line = line
		p.draw()
	case time.Since(p.last) >= quietFor || over && line != p.line:
		p.last, p.line = time.Now(), line
		fmt.Fprintf(p.out, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
	}
}

// end finishes the progress line: it shows the line in full, with a newline.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal && p.line != "" {
		p.clear()
		fmt.Fprintln(p.out, p.line)
	}
}

func (p *progress) clear() {
	if p.terminal {
		io.WriteString(p.out, "\r\x1b[K")
	}
}

func (p *progress) draw() {
	if p.terminal {
		io.WriteString(p.out, fit(p.line, p.width()))
	}
}

// statusLine returns a campaign's state in one line.
func statusLine(s record.Status) string {
	parts := []string{fmt.Sprintf("%d of %d done", s.Done, s.Cells)}
	if s.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d could not run", s.Failed))
	}
	if s.Cancelled > 0 {
		parts = append(parts, fmt.Sprintf("%d cancelled", s.Cancelled))
	}
	parts = append(parts, fmt.Sprintf("%d running", s.Running))
	if s.Rate > 0 {
		parts = append(parts, report.Number(s.Rate)+" a minute")
	}
	if s.Retried > 0 {
		parts = append(parts, fmt.Sprintf("%d retried", s.Retried))
	}
	if s.CostUSD > 0 {
		parts = append(parts, fmt.Sprintf("$%.2f", s.CostUSD))
	}
	if s.Left > 0 {
		parts = append(parts, "about "+rounded(time.Duration(s.Left*float64(time.Second)))+" left")
	}
	if len(s.Workers) > 1 {
		parts = append(parts, fmt.Sprintf("%d workers", len(s.Workers)))
	}
	line := strings.Join(parts, ", ")
	if s.Phase != "running" {
		line = s.Phase + ": " + line
		if s.Why != "" {
			line += "; " + s.Why
		}
	}
	if s.Trouble != "" {
		line += "; " + s.Trouble
	}
	return plain(line)
}

// plain replaces control characters, which a terminal would obey, with question
// marks. Tabs stay.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			return '?'
		}
		return c
	}, text)
}
