package report

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
)

// paper is text for a terminal being written.
type paper struct {
	out     bytes.Buffer
	width   int // columns
	painter painter
}

// say prints a paragraph, safe for terminals and wrapped. Lines after the first are indented
// by indent spaces.
func (p *paper) say(s style, indent int, format string, args ...any) {
	text := Wrap(ladder.Line(fmt.Sprintf(format, args...), longestLine), p.width, indent)
	for line := range strings.Lines(text) {
		p.out.WriteString(p.painter.paint(s, strings.TrimSuffix(line, "\n")) + "\n")
	}
}

// space prints an empty line.
func (p *paper) space() { p.out.WriteByte('\n') }

// Wrap breaks text at spaces into lines of at most width characters. Lines after the
// first are indented by indent spaces. Words longer than a line are broken too.
func Wrap(text string, width, indent int) string {
	var out strings.Builder
	at := len(text) - len(strings.TrimLeft(text, " "))
	pad(&out, at)
	fresh := true // the line has no words yet
	for _, word := range strings.Fields(text) {
		rest := []rune(word)
		if !fresh && at+1+len(rest) > width {
			out.WriteByte('\n')
			pad(&out, indent)
			at, fresh = indent, true
		}
		if !fresh {
			out.WriteByte(' ')
			at++
		}
		for at+len(rest) > width {
			out.WriteString(string(rest[:width-at]) + "\n")
			rest = rest[width-at:]
			pad(&out, indent)
			at = indent
		}
		out.WriteString(string(rest))
		at, fresh = at+len(rest), false
	}
	return out.String()
}
