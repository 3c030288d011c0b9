package cli

import "testing"

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"line\n\tand «next»":       "line\n\tand «next»",
		"\x1b]52;c;cm0=\a\x1b[2J":  `\x1b]52;c;cm0=\a\x1b[2J`,
		"over\rwritten\b\x7f\x00":  `over\rwritten\b\x7f\x00`,
		"\u202e\u200b\u2028\u0085": `\u202e\u200b\u2028\u0085`,
		"\U000e0041":               `\U000e0041`,
		"\xff\x9b31m":              `\xff\x9b31m`,
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
