package report

import (
	"io"
	"os"
)

// onTerminal reports whether w is a terminal that shows a rewritten line.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// style is a way to print, as the parameter of SGR (ECMA-48, 8.3.117).
type style string

const (
	bold  style = "1"
	faint style = "2"
	red   style = "31"
)

// painter colours text, if the terminal can show it and nobody minds
// (NO_COLOR, see no-color.org). The zero value paints nothing.
type painter bool

// newPainter wants TERM set: a console that knows no colours does not set it.
func newPainter(w io.Writer) painter {
	return painter(onTerminal(w) && os.Getenv("TERM") != "" && os.Getenv("NO_COLOR") == "")
}

func (p painter) paint(s style, text string) string {
	if !p || s == "" || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
