package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/campaign/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A campaign's report in a browser, on a screen and on a phone: its policy allows its
// style, only tables scroll sideways, the leaderboard shows who is better, and the grid
// links to a cell's trial.
func TestCampaignPage(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Name: "page", Scenarios: []string{"ping", "noise", "udp-echo", "tcp-connect", "tcp-echo", "http"}, Assist: []string{"none", "fix"}, Repetitions: 4, Count: 10,
		Agents: []plan.Agent{{Name: "right", Agent: "builtin"}, {Name: "a-model-with-a-name-of-forty-characters", Agent: "claude"}, {Name: "absent", Agent: "claude"}}}
	var records []record.Record
	for i, c := range p.Cells() {
		r := record.Of(c)
		r.State, r.Sent, r.Right, r.Passed, r.Responses = record.Done, 10, 10, true, []float64{0.2, 0.3}
		switch c.Agent {
		case "a-model-with-a-name-of-forty-characters":
			r.Right, r.Wrong, r.Passed, r.Faults = 4, 6, false, map[string]int{score.FaultTransportChecksum: 6}
			r.Responses, r.Usage = []float64{7e3, 9e4}, &score.Usage{InputTokens: 1000 + i, OutputTokens: 100, CostUSD: 0.03}
			r.Reason = "1: wrong (<b>the ICMP checksum</b> is 0x5677, should be 0x5676)"
		case "absent":
			r = record.Of(c)
			r.State, r.Reason = record.Failed, "starting the agent: exec: not found"
		}
		records = append(records, r)
	}
	folder := t.TempDir()
	path, linked := filepath.Join(folder, "report.html"), "right_ping_none_1"
	if err := os.MkdirAll(filepath.Join(folder, "trials"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "trials", linked+".html"), []byte("<title>a trial</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := report.WritePage(path, report.Sum(p, records), map[string]bool{linked: true}); err != nil {
		t.Fatal(err)
	}
	page := startBrowser(t)
	for _, width := range []int64{1280, 400} {
		for _, scheme := range []string{"light", "dark"} {
			page.size(width, 900, scheme)
			page.do(chromedp.Navigate("file://" + path))
			page.until("document.readyState === 'complete'")
			page.picture(fmt.Sprintf("campaign-%d-%s", width, scheme))
			if wide := value[int64](page, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("at %d pixels the page is %d wide", width, wide)
			}
			if got := value[string](page, "getComputedStyle(document.querySelector('.scroll')).overflowX"); got != "auto" {
				t.Errorf("the page has no style: overflow-x of a table is %s", got)
			}
			ground := value[string](page, "getComputedStyle(document.body).backgroundColor")
			if want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(17, 20, 24)"}[scheme]; ground != want {
				t.Errorf("%s: the ground is %s, want %s", scheme, ground, want)
			}
			// On a phone, too, a name and its rate are visible without scrolling.
			if right := value[float64](page, "document.querySelector('tbody tr:nth-child(3) td.n:nth-of-type(2)').getBoundingClientRect().right"); right > float64(width) {
				t.Errorf("at %d pixels the rate ends at %v", width, right)
			}
		}
	}
	if got := value[string](page, "document.querySelector('tbody th').textContent"); got != "right, none" {
		t.Errorf("the first on the leaderboard is %q", got)
	}
	if n := value[int](page, "document.querySelectorAll('b').length"); n != 1 { // of the cells that could not run
		t.Errorf("%d texts are bold: is a trial's text markup?", n)
	}
	page.do(chromedp.Click(`.grid a[href="#e1-s1"]`))
	page.until("document.querySelector('#e1-s1').closest('details').open")
	page.do(chromedp.Click("#e1-s1 a"))
	page.until("document.title === 'a trial'")
	page.quiet()
}
