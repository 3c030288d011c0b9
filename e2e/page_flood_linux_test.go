package e2e

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// More packets than anybody can look at, as fast as the peer's kernel sends: the page
// stays responsive, says what it leaves out, and holds no more at the end than at the
// beginning. TUN_MCP_LONG=1 makes it long.
func TestPageUnderFlood(t *testing.T) {
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "nsenter")
	length := tuntest.Length(t, 2*time.Second, 20*time.Second)
	c := startServer(t, modernEra, "--network", "private", "--session", "flood")
	page := openPage(t, c.runtime)
	s := c.connect()
	told, end := io.Pipe()
	t.Cleanup(func() { end.Close() })
	sent := startFlooder(t, c, length, told)
	page.until("/ packets a second: the ladder shows /.test(document.getElementById('sampling').textContent)")
	before, began, first := page.heap(), time.Now(), vitals(t, s).Counters.Received

	// The page responds during the flood.
	slowest, line := time.Duration(0), ""
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for range int(length / (250 * time.Millisecond)) {
		<-tick.C
		asked := time.Now()
		line = value[string](page, "document.getElementById('sampling').textContent")
		slowest = max(slowest, time.Since(asked))
	}
	rate := float64(vitals(t, s).Counters.Received-first) / time.Since(began).Seconds()
	end.Close()
	printed := <-sent
	want, err := strconv.ParseUint(strings.TrimSpace(printed), 10, 64)
	if err != nil {
		t.Fatalf("the flooder printed %q", printed)
	}
	page.picture("flood")
	// Packets may still be on their way when the flooder has ended.
	received := when(t, s, func(v vital) bool { return v.Counters.Received+device(t, v).dropped == want }).Counters.Received
	page.until(fmt.Sprintf("document.querySelector('[data-figure=received]').textContent.replaceAll(',', '') === '%d'", received))
	page.until("document.getElementById('sampling').hidden")
	after := page.heap()
	missed := value[string](page, "document.getElementById('note').textContent")
	t.Logf("%.0f packets a second; %s; %s; the slowest answer of the page took %v; heap %.1f MB, then %.1f MB", rate, line, missed, slowest, before/1e6, after/1e6)
	if rate < 20_000 {
		t.Errorf("%.0f packets a second, want at least 20,000 for this test", rate)
	}
	if missed != "" && !regexp.MustCompile(`^[1-9][0-9,]* events were missed: `).MatchString(missed) {
		t.Errorf("what was missed: %q", missed)
	}
	if slowest > 5*time.Second {
		t.Errorf("the page took %v to answer", slowest)
	}
	if after > before+4e6 {
		t.Errorf("the heap grew from %.1f to %.1f MB", before/1e6, after/1e6)
	}
	if n := value[int](page, rows("li:not(.silence)")); n > 400 {
		t.Errorf("%d rows are kept, want 400 at most", n)
	}
	// The last packet can be found, even if it was left out.
	page.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void (location.hash = '#/%d')", received)))
	page.until(fmt.Sprintf("document.getElementById('details-title').textContent.startsWith('#%d ')", received))
	page.quiet()
}
