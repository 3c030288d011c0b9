package e2e

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/watch"
)

// recordTerminal follows a session until it ends. If pictures are wanted, draw draws
// the output of `tun-mcp watch` in a terminal of 80 columns, each line at the time when
// it came.
func recordTerminal(t *testing.T, b *builtin) (draw func(name string)) {
	t.Helper()
	if *picturesTo == "" {
		return func(string) {}
	}
	cmd := b.command("watch", "--json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var mu sync.Mutex // guards text, times and printed
	var text strings.Builder
	var times []time.Time
	printer := watch.Printer{Out: &text, Color: true, Width: func() int { return 80 }, Ends: watch.Ends{Peer: "10.77.0.1", Agent: "10.77.0.2"}}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e session.Event
			mu.Lock()
			if json.Unmarshal(lines.Bytes(), &e) == nil && printer.See(e) == nil {
				for len(times) < strings.Count(text.String(), "\n") {
					times = append(times, e.Time)
				}
			}
			mu.Unlock()
		}
	}()
	return func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if err := os.WriteFile(filepath.Join(*picturesTo, name+".svg"), []byte(terminalSVG(text.String(), times)), 0o644); err != nil {
			t.Error(err)
		}
	}
}

var sgr = regexp.MustCompile("\x1b\\[(\\d+)m([^\x1b]*)\x1b\\[0m|([^\x1b]+)")

// terminalSVG draws coloured lines that appear one after the other, at the given times.
func terminalSVG(text string, times []time.Time) string {
	const line, left, top = 19, 14, 30
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img"><title>tun-mcp watch in a terminal</title>
<style>rect{fill:#111418}text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e8eaed;white-space:pre}
.s1{font-weight:700}.s2{fill:#8b949e}.s31{fill:#ff9a92}.s32{fill:#7ee787}.s33{fill:#e3b341}
g{animation:come .01s both}@keyframes come{from{opacity:0}}@media (prefers-reduced-motion:reduce){g{animation:none}}</style>
<rect width="100%%" height="100%%" rx="8"/><text x="%[3]d" y="24"><tspan class="s2">$ </tspan>tun-mcp watch</text>
`, 2*left+660, top+(len(lines)+1)*line, left)
	for i, content := range lines {
		delay := 0.0
		if i < len(times) {
			delay = 0.5 + times[i].Sub(times[0]).Seconds()
		}
		fmt.Fprintf(&b, `<g style="animation-delay:%.2fs"><text x="%d" y="%d">`, delay, left, top+(i+1)*line)
		for _, m := range sgr.FindAllStringSubmatch(content, -1) {
			class, part := "s"+m[1], m[2]
			if m[3] != "" {
				class, part = "s0", m[3]
			}
			fmt.Fprintf(&b, `<tspan class="%s">`, class)
			_ = xml.EscapeText(&b, []byte(part)) // a Builder never fails
			b.WriteString("</tspan>")
		}
		b.WriteString("</text></g>\n")
	}
	return b.String() + "</svg>\n"
}
