package subject

import (
	"strings"
	"testing"
)

// The end of an agent's output becomes one line that shows its line breaks.
func TestLastLines(t *testing.T) {
	for said, want := range map[string]string{
		"":                 "",
		" \r\n":            "",
		"no tokens left\n": "no tokens left",
		"Not approved.\nPlease set an Auth method\r\n\n in settings.json\n": "Not approved. / Please set an Auth method / in settings.json",
		strings.Repeat("x", 2*tailBytes):                                    "…" + strings.Repeat("x", tailBytes),
	} {
		if got := lastLines(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}
