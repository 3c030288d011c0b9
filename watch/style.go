package watch

// style is a text style, as a parameter of SGR (ECMA-48, 8.3.117).
type style string

const (
	bold   style = "1"
	faint  style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// paint returns text in a style, or unchanged if p.Color is not set.
func (p *Printer) paint(s style, text string) string {
	if !p.Color || s == "" || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
