package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The table, page and comparison have the sums and the fit, without requests that got no
// answer.
func TestSums(t *testing.T) {
	r := &score.Report{Agent: score.Agent{Kind: "builtin", Name: "builtin"}, Network: "memory", Assist: "none"}
	s := score.Result{Scenario: "checksum"}
	for i := range 20 {
		x := score.Exchange{N: i + 1, Words: 10, Answer: 1, Response: 1, Outcome: score.Right}
		if i >= 10 {
			x.Words = 740
		}
		if i >= 15 {
			x.Outcome, x.Faults = score.Wrong, []string{score.FaultTransportChecksum}
		}
		s.Exchanges = append(s.Exchanges, x)
	}
	s.Exchanges = append(s.Exchanges, score.Exchange{N: 21, Words: 320, Outcome: score.Lost})
	s.Sum(nil)
	r.Scenarios = []score.Result{s}
	r.Finish()
	var table, page, compared bytes.Buffer
	if err := WriteTable(&table, r, 0); err != nil {
		t.Fatal(err)
	}
	if err := WritePage(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := WriteComparison(&compared, []*score.Report{r, r}, nil); err != nil {
		t.Fatal(err)
	}
	for out, wants := range map[*bytes.Buffer][]string{
		&table:    {"right sums in checksum", "\n10 words            10/10   100 %", "320 words             0/0       –", "740 words            5/10  50.0 %"},
		&page:     {"share of right sums", "740 words: 5 of 10 sums right", "p = 0.9", `<path class="curve" d="M`},
		&compared: {"sums of builtin: 15 of 20 right; each word is summed wrong with p = 0.9"},
	} {
		for _, want := range wants {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%.3000s", want, out)
			}
		}
	}
}
