package report

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Large figures are written out: nobody reads 1.25e+04.
func TestFiguresAreWrittenOut(t *testing.T) {
	some := score.Distribution{N: 1}
	for _, c := range [][2]string{
		{perRequest(12_500, 1), "12,500"}, {perRequest(999.6, 1), "1,000"}, {perRequest(320, 320), "1"}, {perRequest(1, 3), "0.333"}, {perRequest(1, 0), unknown},
		{duration(some, 999.7), "1.00 s"}, {duration(some, 57_000), "57.0 s"}, {duration(some, 599_700), "600 s"}, {duration(some, 66e6), "18.3 h"}, {duration(score.Distribution{}, 1), unknown},
		{tickText(0.01), "0.01 ms"}, {tickText(1), "1 ms"}, {tickText(100), "100 ms"}, {tickText(1e4), "10 s"}, {tickText(1e6), "16.7 min"},
		{Number(57.24), "57.2"}, {Number(1240.4), "1,240"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
}

// The table and the page show the same calls per request: probes are requests too.
func TestCallsPerRequestCountProbes(t *testing.T) {
	p := &plan.Plan{Name: "p", Agents: []plan.Agent{{Name: "a", Agent: "claude", Parallel: 1}}, Scenarios: []string{"load"}, Assist: []string{"fix"}, Repetitions: 1}
	r := record.Of(p.Cells()[0])
	r.State, r.Sent, r.Right, r.Probes, r.Calls = record.Done, 10, 10, 310, 960
	s := Sum(p, []record.Record{r})
	var table bytes.Buffer
	if err := WriteTable(&table, s); err != nil {
		t.Fatal(err)
	}
	if row := regexp.MustCompile(`(?m)^a .* 3$`); !row.Match(table.Bytes()) {
		t.Errorf("the table does not show 3 calls per request:\n%s", &table)
	}
	path := filepath.Join(t.TempDir(), "report.html")
	if err := WritePage(path, s, nil); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), `<td class="n">3</td>`) || strings.Contains(string(page), `<td class="n">96</td>`) {
		t.Error("the page does not show 3 calls per request")
	}
}
