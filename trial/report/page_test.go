package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

var pagesTo = flag.String("pages", "", "write the sample pages into this folder, to look at")

func writePage(t *testing.T, r *score.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := WritePage(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPages writes a page for each sample. A page must not load anything or have invalid
// positions.
func TestPages(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			html := writePage(t, r)
			if *pagesTo != "" {
				if err := os.WriteFile(filepath.Join(*pagesTo, name+".html"), []byte(html), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "http:", "https:", "url(", "%!", " style="} {
				if strings.Contains(html, bad) {
					t.Errorf("the page contains %q", bad)
				}
			}
			if !strings.Contains(html, "<script>"+pageJS+"</script>") || !strings.Contains(html, "<style>"+pageCSS+"</style>") {
				t.Error("the script or style differs from the one in the policy's hash")
			}
			if len(html) > 4<<20 {
				t.Errorf("the page is %d bytes long", len(html))
			}
		})
	}
}

// TestPageEscapes tests that strings from packets and agents do not become markup.
func TestPageEscapes(t *testing.T) {
	html := writePage(t, hostile())
	for what, want := range map[string]int{"<script": 1, "</script": 1, "<style": 1, "</style": 1, "<img": 0, "\x1b": 0, "\u202e": 0, "\x00": 0} {
		if got := strings.Count(html, what); got != want {
			t.Errorf("%q: %d times, want %d", what, got, want)
		}
	}
	markup := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(html[strings.Index(html, "<body>"):strings.Index(html, "<script>")], `""`)
	if tag := regexp.MustCompile(`<[^>]*\son[a-z]+\s*=[^>]*>`).FindString(markup); tag != "" {
		t.Errorf("an event handler: %.200s", tag)
	}
}

// TestPageBody compares the page of a small report, without script and style, with a golden
// file.
func TestPageBody(t *testing.T) {
	r := newSample(9).report(claude, "check", 3, pings(3, slow))
	r.Scenarios[0].Crossings[1].At += 3000
	html := writePage(t, r)
	_, body, _ := strings.Cut(html, "<header>")
	body, _, _ = strings.Cut(body, "<script>")
	golden(t, "page.html", body)
}

// TestPageOfMany tests that the plots of many packets have no more marks than one can see.
func TestPageOfMany(t *testing.T) {
	s := newSample(11)
	many := pings(50000, quick)
	many.interval, many.wrong, many.lost, many.faults = 0.5, 0.3, 0.3, []string{score.FaultPayload}
	r := s.report(builtin, "fix", 50000, many)
	c := newCard("s1", r.Scenarios[0], r.Settings.Deadline)
	if n := len(c.Times.Bars); n == 0 || n > slicesOf {
		t.Errorf("%d bars, want 1 to %d", n, slicesOf)
	}
	if n := len(c.Times.Marks); n > 10000 {
		t.Errorf("%d marks", n)
	}
	for _, l := range c.Times.Lanes {
		if len(l.Marks) > 2*oneByOne {
			t.Errorf("%d marks in lane %s", len(l.Marks), l.Label)
		}
	}
	if len(c.Table) != maxRows || c.TableRest != 50000-maxRows {
		t.Errorf("%d rows and %d left out", len(c.Table), c.TableRest)
	}
	if n := strings.Count(c.Share.Steps, "H"); n > maxSteps+3 {
		t.Errorf("%d steps", n)
	}
}
