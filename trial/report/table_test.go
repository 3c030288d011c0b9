package report

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// harmless fails the test if text could control a terminal.
func harmless(t *testing.T, text string) {
	t.Helper()
	for _, c := range text {
		if c != '\n' && (!unicode.IsPrint(c) || c == utf8.RuneError) {
			t.Fatalf("the text contains %q", c)
		}
	}
}

func TestWriteTable(t *testing.T) {
	for name, r := range samples() {
		for _, width := range []int{0, 60, 160} {
			t.Run(fmt.Sprintf("%s %d", name, width), func(t *testing.T) {
				var out bytes.Buffer
				if err := WriteTable(&out, r, width); err != nil {
					t.Fatal(err)
				}
				harmless(t, out.String())
				if r.Assist != "" && !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "with assist ") {
					t.Error("the result has no assist level")
				}
				for line := range strings.Lines(out.String()) {
					if n := textWidth(line) - 1; n > max(width, 80) && name != "hostile" {
						t.Errorf("%d columns: %s", n, line)
					}
				}
				switch {
				case width == 0 && (name == "ten" || name == "empty" || name == "nothing"):
					golden(t, "table-"+name+".txt", out.String())
				case width == 160 && name == "ten":
					golden(t, "table-wide.txt", out.String())
				}
			})
		}
	}
}

// The table names the agent or session that did not play, if the trial knew it.
func TestTableWithoutAgent(t *testing.T) {
	for _, test := range []struct {
		report score.Report
		want   string
	}{
		{score.Report{Agent: score.Agent{Kind: "running", Name: "running"}, Session: "abc"}, "the agent of session abc did not read\n"},
		{score.Report{Agent: score.Agent{Kind: "running", Name: "running"}}, "no running session was found\n"},
		{score.Report{Agent: score.Agent{Kind: "claude", Name: "claude"}}, "claude did not start a session\n"},
	} {
		var out bytes.Buffer
		if err := WriteTable(&out, &test.report, 0); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); !strings.HasPrefix(text, test.want) || !strings.HasSuffix(text, "\nnothing was sent\n") {
			t.Errorf("want %q first:\n%s", test.want, text)
		}
	}
}

// Only a terminal gets colours.
func TestTableColours(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/table")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if onTerminal(f) || bool(newPainter(f)) || bool(newPainter(&bytes.Buffer{})) {
		t.Error("a file or a buffer counts as a terminal")
	}
	if got, want := painter(true).paint(red, "x"), "\x1b[31mx\x1b[0m"; got != want {
		t.Errorf("painted %q, want %q", got, want)
	}
	if got := painter(false).paint(red, "x"); got != "x" {
		t.Errorf("not painted: %q", got)
	}
	t.Setenv("NO_COLOR", "1")
	if newPainter(os.Stdout) {
		t.Error("painted with NO_COLOR set")
	}
}
