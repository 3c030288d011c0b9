// Package watch shows the packets of a running session live, as lines for a terminal.
// Package watch/page shows them as a web page.
package watch

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// Printer prints the events of a session: one line per packet, like tcpdump, and one
// dim line per call of the agent. It is not safe for concurrent use.
type Printer struct {
	Out    io.Writer
	Width  func() int // returns the current line width in columns; nil or 0 means no limit
	Color  bool       // use ANSI colours
	Live   bool       // Out is a terminal, so the last line shows what the agent is doing
	Hex    bool       // print each packet's bytes below its line
	Fields bool       // also print every header field
	Since  int        // first packet asked for; 0 means new packets only
	Ends   Ends       // the link's own addresses, left out of lines that are too long

	activity Activity
	calls    map[int]*tally // running calls, by number
	packets  int
	column   int  // width of the longest packet number so far
	status   bool // the last line on the terminal is that of Status
	err      error
}

// tally counts what a call has done so far.
type tally struct{ read, written int }

// maxCalls bounds the remembered calls. A call whose end event was missed would
// otherwise be remembered forever.
const maxCalls = 256

// Start sets the agent's activity from the session's status.
func (p *Printer) Start(status session.Status) { p.activity.Start(status) }

// See prints an event. It returns the first error of writing to Out.
func (p *Printer) See(e session.Event) error {
	p.activity.See(e)
	switch e.Event {
	case session.EventPacket:
		p.packets++
		if e.Direction == session.Write {
			p.tally(e.Call).written++
		}
		p.packet(e)
	case session.EventDelivered:
		p.tally(e.Call).read++
	case session.EventCall:
		p.call(e)
	case session.EventDropped:
		p.line(line{at: e.Time, number: e.Number, body: "dropped: the queue was full", style: yellow})
	case session.EventRefused:
		p.line(line{at: e.Time, arrow: "✗", body: "refused: " + ladder.Line(e.Why, 0), tail: bytesOf(len(e.Hex) / 2), style: red})
	case session.EventHandler:
		p.line(line{at: e.Time, number: e.Number, arrow: "·", body: fmt.Sprintf("handler %d: %s", e.Version, ladder.Line(e.Why, 0)), style: yellow})
	case session.EventFailed:
		p.line(line{at: e.Time, number: e.Number, body: "lost, the link did not take it: " + ladder.Line(e.Why, 0), style: red})
	case session.EventMissed:
		text := fmt.Sprintf("%d events were missed: this terminal is slower than the link", e.Missed)
		if p.packets == 0 && p.Since > 0 {
			text = fmt.Sprintf("the record has forgotten %d packets, #%d to #%d", e.Missed, p.Since, p.Since+e.Missed-1)
		}
		p.line(line{at: e.Time, body: text, style: yellow})
	}
	return p.err
}

// tally returns the counts of a call, creating them if necessary.
func (p *Printer) tally(call int) *tally {
	if p.calls == nil || len(p.calls) >= maxCalls {
		p.calls = make(map[int]*tally)
	}
	if p.calls[call] == nil {
		p.calls[call] = &tally{}
	}
	return p.calls[call]
}

func (p *Printer) packet(e session.Event) {
	l := line{at: e.Time, number: e.Number, arrow: "→", body: e.Summary, tail: bytesOf(len(e.Hex) / 2), own: true}
	if e.Direction == session.Write {
		l.arrow = "←"
	}
	if strings.Contains(l.body, ", "+l.tail) { // a fragment's summary contains it
		l.tail = ""
	}
	if e.ReplyTo > 0 {
		l.more(fmt.Sprintf("%s after #%d", ladder.Time(e.Response), e.ReplyTo))
	}
	if e.Handler {
		l.more("by the handler")
	}
	if e.Injected {
		l.more("injected")
	}
	switch {
	case len(e.Faults) > 0:
		l.style = red
	case e.Direction == session.Write:
		l.style = green
	}
	p.line(l)
	if !p.Hex && !p.Fields {
		return
	}
	data, err := hex.DecodeString(e.Hex)
	if err != nil {
		return
	}
	for text := range strings.Lines(packet.Dump(data, 0, p.Fields, true)) {
		p.print(p.cut("\t"+text) + "\n")
	}
}

// call prints a line for a call that has ended.
func (p *Printer) call(e session.Event) {
	done := p.tally(e.Call)
	delete(p.calls, e.Call)
	text := fmt.Sprintf("%s, %s", ladder.Line(e.Tool, 0), ladder.Time(ladder.Milliseconds(e.Time.Sub(e.Began))))
	if done.read > 0 {
		text += fmt.Sprintf(", %d read", done.read)
	}
	if done.written > 0 {
		text += fmt.Sprintf(", %d written", done.written)
	}
	if e.Failed {
		text += ", an error"
	}
	if thought := p.activity.Thought; thought > 0 {
		text = "thought for " + ladder.Time(ladder.Milliseconds(thought)) + ", then " + text
	}
	p.line(line{at: e.Time, arrow: "·", body: text, style: faint})
}

// Status draws what the agent is doing now below the last line, if p.Live is set.
func (p *Printer) Status(now time.Time) error {
	if text := p.activity.Text(now); p.Live && text != "" {
		p.clear()
		p.print(p.paint(faint, p.cut("agent: "+text)))
		p.status = true
	}
	return p.err
}

// Close removes the line drawn by Status.
func (p *Printer) Close() error {
	p.clear()
	return p.err
}

func (p *Printer) clear() {
	if p.status {
		p.status = false
		p.print("\r\x1b[K")
	}
}

// line is a line before it is fitted to the width.
type line struct {
	at     time.Time
	number int    // of a packet; 0 means none
	arrow  string // one character
	body   string // the part that may be shortened
	tail   string // the part that may not
	own    bool   // body is a packet's summary
	style  style  // of body
}

// more appends a remark to the tail.
func (l *line) more(remark string) {
	if l.tail != "" {
		remark = l.tail + ", " + remark
	}
	l.tail = remark
}

func (p *Printer) line(l line) {
	number := ""
	if l.number > 0 {
		number = fmt.Sprintf("#%d", l.number)
	}
	p.column = max(p.column, len(number), len("#1"))
	number = fmt.Sprintf("%-*s", p.column, number) // keep the columns aligned
	at, arrow := l.at.Local().Format("15:04:05.000"), cmp.Or(l.arrow, " ")
	if l.tail != "" {
		l.tail = ", " + l.tail
	}
	if width := p.width(); width > 0 {
		const between = 4 // spaces, and the arrow
		if width < narrow {
			l.tail = ""
		}
		room := width - len(at) - len(number) - utf8.RuneCountInString(l.tail) - between
		p.fit(&l, room)
	}
	rest := l.body
	if l.style == faint {
		rest += l.tail
		l.tail = ""
	}
	p.clear()
	p.print(p.paint(faint, at) + " " + p.paint(bold, number) + " " + arrow + " " + p.paint(l.style, rest) + l.tail + "\n")
}

// fit shortens a line's body to room characters. From a packet's line it first removes
// what the reader already knows: that checksums are correct, then the link's own
// addresses. Then it removes the length and TCP fields that --fields shows, and at
// last which packet is answered and by whom. Ports, flags and response time stay.
func (p *Printer) fit(l *line, room int) {
	long := func() bool { return utf8.RuneCountInString(l.body) > room }
	if l.own && long() {
		l.body = verdict.ReplaceAllString(l.body, "")
	}
	if l.own && long() {
		l.body = p.Ends.Without(l.body)
	}
	if _, rest, ok := strings.Cut(l.tail, " bytes"); l.own && ok && long() {
		room += utf8.RuneCountInString(l.tail) - utf8.RuneCountInString(rest)
		l.tail = rest
	}
	for _, part := range tcpParts {
		if l.own && long() && strings.Contains(l.body, " TCP ") {
			l.body = part.ReplaceAllString(l.body, "")
		}
	}
	for _, part := range tailParts {
		if l.own && long() {
			rest := part.ReplaceAllString(l.tail, "")
			room += utf8.RuneCountInString(l.tail) - utf8.RuneCountInString(rest)
			l.tail = rest
		}
	}
	l.body = cutTo(l.body, max(room, 8))
}

// verdict matches the end of the summary of a packet without faults.
var verdict = regexp.MustCompile(`, (checksums ok( \(UDP has none\))?|header checksum ok)$`)

// tcpParts match the fields that fit removes from a TCP segment's summary, in order.
var tcpParts = []*regexp.Regexp{regexp.MustCompile(` win \d+`), regexp.MustCompile(` ack 0x[0-9a-f]{8}`), regexp.MustCompile(` seq 0x[0-9a-f]{8}`), regexp.MustCompile(` len \d+`)}

// tailParts match what fit removes from a packet's tail, in order.
var tailParts = []*regexp.Regexp{regexp.MustCompile(` after #\d+`), regexp.MustCompile(`, by the handler$`)}

// narrow is the width, in columns, below which lengths and response times are left
// out.
const narrow = 60

func (p *Printer) width() int {
	if p.Width == nil {
		return 0
	}
	return p.Width()
}

// cut expands a line's tabs, removes its newline, and cuts it to the width.
func (p *Printer) cut(text string) string {
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\t", "    "), "\n")
	if width := p.width(); width > 0 {
		return cutTo(text, width-1)
	}
	return text
}

func cutTo(text string, most int) string {
	if runes := []rune(text); len(runes) > most && most > 0 {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func (p *Printer) print(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.Out, text)
	}
}

func bytesOf(n int) string { return fmt.Sprintf("%d bytes", n) }
