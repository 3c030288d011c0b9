package mcpserver

import (
	"encoding/json"
	"strings"
	"testing"
)

// The refusal of an id in use, and of a line that is no JSON, is short and in ASCII.
func TestLinesQuotedInShort(t *testing.T) {
	for id, want := range map[string]string{
		`7`:               `id 7 is`,
		`"a\u00e9\u001b"`: `id "a\u00e9\x1b" is`,
		`"` + strings.Repeat("\u00e9", 100) + `"`: `id "` + strings.Repeat(`\u00e9`, 20) + `..." is`,
		`1e-300`: `id 0.` + strings.Repeat("0", 38) + `... is`,
	} {
		key, why := keyOf(json.RawMessage(id))
		if why != nil {
			t.Fatal(why)
		}
		if got := inUse(key).text; !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	for _, line := range []string{"\u00e9", "{\u00e9", "\xff", "[1\u202e]"} {
		if _, why := parseMessage(nil, []byte(line)); why == nil || strings.ContainsFunc(why.text, func(c rune) bool { return c > '~' }) {
			t.Errorf("%q: %+v", line, why)
		}
	}
}
