package report

import (
	"io"
	"os"
)

// onTerminal reports whether w is a terminal that can rewrite a line.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// style is a way to print text, as a parameter of SGR (ECMA-48, 8.3.117).
type style string

const (
	bold  style = "1"
	faint style = "2"
	red   style = "31"
)

// painter colours text if it is true. The zero value leaves text as it is.
type painter bool

// newPainter returns true if w is a terminal with colours and NO_COLOR is not set
// (no-color.org). A console without colours does not set TERM.
func newPainter(w io.Writer) painter {
	return painter(onTerminal(w) && os.Getenv("TERM") != "" && os.Getenv("NO_COLOR") == "")
}

func (p painter) paint(s style, text string) string {
	if !p || s == "" || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
