package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// busy is a state whose line is longer than 80 characters.
var busy = record.Status{Name: "first", Phase: "running", Cells: 1000, Running: 8, Rate: 57, Left: 900,
	Sum: record.Sum{Done: 120, Failed: 3, Retried: 12, CostUSD: 4.2}, Trouble: "the server does not answer"}

// The progress line stays in one row of the terminal, so that it can be cleared. At the end it
// is shown in full.
func TestProgressFitsTheTerminal(t *testing.T) {
	full := statusLine(busy)
	if n := utf8.RuneCountInString(full); n <= 80 {
		t.Fatalf("the line has %d characters, want more than 80", n)
	}
	var out strings.Builder
	p := &progress{out: &out, terminal: true, width: func() int { return 80 }}
	p.show(busy)
	p.log("a line")
	for _, row := range strings.FieldsFunc(out.String(), func(c rune) bool { return c == '\r' || c == '\n' }) {
		if row = strings.TrimPrefix(row, "\x1b[K"); utf8.RuneCountInString(row) >= 80 {
			t.Errorf("%q is longer than a row", row)
		}
	}
	out.Reset()
	p.end()
	if want := "\r\x1b[K" + full + "\n"; out.String() != want {
		t.Errorf("at the end %q, want %q", out.String(), want)
	}
	for line := range strings.Lines(fitLines(statusBlock(busy), 80)) {
		if utf8.RuneCountInString(line) > 80 { // with the newline
			t.Errorf("%q is longer than a row", line)
		}
	}
}
