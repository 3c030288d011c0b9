package report

import (
	"bytes"
	"fmt"
	"strings"
)

// paper is a text for people being written.
type paper struct {
	out     bytes.Buffer
	width   int // columns
	painter painter
}

// say prints a paragraph, safe and wrapped; lines after the first start with
// indent spaces.
func (p *paper) say(s style, indent int, format string, args ...any) {
	text := wrapText(printableLine(fmt.Sprintf(format, args...), longestLine), p.width, indent)
	for line := range strings.Lines(text) {
		p.out.WriteString(p.painter.paint(s, strings.TrimSuffix(line, "\n")) + "\n")
	}
}

// space prints an empty line.
func (p *paper) space() { p.out.WriteByte('\n') }

// wrapText breaks a text at spaces into lines of at most width characters;
// lines after the first start with indent spaces. A word that is longer than
// a line is broken as well.
func wrapText(text string, width, indent int) string {
	var out strings.Builder
	at := len(text) - len(strings.TrimLeft(text, " "))
	pad(&out, at)
	fresh := true // nothing stands on this line yet
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
