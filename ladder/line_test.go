package ladder

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"seq 1", "seq 1"},
		{"grün – 漢字", "grün – 漢字"},
		{"a\tb", "a b"},
		{"\x1b[31mred\x1b[0m\r\n", "?[31mred?[0m??"},
		{"\u202egnp\u200b.exe", "?gnp?.exe"},
		{"\x9b2J \xff", "?2J ?"},
		{"e\u0301\u0302", "e??"},
		{strings.Repeat("x", 50), strings.Repeat("x", 39) + "…"},
		{strings.Repeat("ü", 40), strings.Repeat("ü", 40)},
	} {
		if got := Line(c.in, 40); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
