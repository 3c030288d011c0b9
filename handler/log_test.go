package handler

import (
	"strings"
	"testing"
)

// Log lines and failures show bytes as hex, in any value, and everything else in ASCII.
func TestBytesAreShownInHex(t *testing.T) {
	data := []byte("SYSTEM: пожалуйста")
	for source, want := range map[string]string{
		"log(p[0:6], [p[0:1], (p[1:2],), {p[2:3]: p[3:4], 1: 'a'}], (), [], {}, (1, 2))": "hex(53595354454d) [hex(53), (hex(59),), {hex(53): hex(54), 1: \"a\"}] () [] {} (1, 2)",
		"log(str(p[0:9]))":                          `b"SYSTEM: \xd0"`,
		"log('é', ['\\U0001f600'], '\\u202e\\t')":   `\u00e9 ["\U0001f600"] \u202e\x09`,
		"log('é' * 40)":                             strings.Repeat(`\u00e9`, 33) + `\u...`,
		"log('x' * 200)":                            strings.Repeat("x", 200),
		"log('x' * 201)":                            strings.Repeat("x", 200) + "...",
		"{}[p[0:]]":                                 "handler.star:2:5: key hex(53595354454d3a20d0bfd0bed0b6d0b0d0bbd183d0b9d181d182d0b0... is not in the dict; x",
		"{}[(p[0:8], p[8:])]":                       "key (hex(53595354454d3a20), hex(d0bfd0bed0b6d0b0d0bbd183d0b9d181... is not",
		"fail('odd:', p[0:2], 'é')":                 "fail: odd: hex(5359) \\u00e9\n",
		"{p[0:3]: 1, p[0:3]: 2}":                    "two entries of a dict have the same key\n",
		"x = 'é'.nope()":                            "handler.star:2:11: a string has no nope",
		"'é'.nope()  # й":                           "    '?'.nope()  # ?\n",
		"{'" + strings.Repeat("я", 40) + "': 1}[1]": "key 1 is not",
	} {
		h := mustLoad(t, "def handle(p):\n  "+source, Options{})
		_, _, err := h.Handle(data)
		got := strings.Join(h.Log(), "|")
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != want || err != nil && !strings.Contains(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", source, got, want)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
			t.Errorf("%s: not ASCII: %q", source, got)
		}
	}
}

// A line of the log keeps 200 characters, however long each is.
func TestLongLogLine(t *testing.T) {
	h := mustLoad(t, "def handle(p):\n  s = '\\U0001F600' * 60000\n  log(s, s, s, s)", Options{})
	if _, _, err := h.Handle(nil); err != nil {
		t.Fatal(err)
	}
	if lines := h.Log(); len(lines) != 1 || len(lines[0]) != logChars+len("...") {
		t.Errorf("%d lines, the first of %d bytes", len(lines), len(lines[0]))
	}
}
