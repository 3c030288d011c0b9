package trial

import (
	"strings"
	"testing"
)

// What an agent said last is one line, in which its own line ends are seen.
func TestLastWords(t *testing.T) {
	for said, want := range map[string]string{
		"":                 "",
		" \r\n":            "",
		"no tokens left\n": "no tokens left",
		"Not approved.\nPlease set an Auth method\r\n\n in settings.json\n": "Not approved. / Please set an Auth method / in settings.json",
		strings.Repeat("x", 2*tailBytes):                                    "…" + strings.Repeat("x", tailBytes),
	} {
		if got := lastWords(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}
