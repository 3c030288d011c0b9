package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// FuzzLoad writes every report that can be read as table, comparison and page.
func FuzzLoad(f *testing.F) {
	for _, r := range samples() {
		if len(r.Scenarios) > 0 && len(r.Scenarios[0].Exchanges) > 100 {
			continue
		}
		if data, err := json.Marshal(r); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte(`{"version":1,"program":"","started":"2026-11-22T22:10:00Z","settings":{},"scenarios":[{"exchanges":[{"at_ms":-1e308,"response_ms":1e308},{"at_ms":1e308,"response_ms":5e-324,"outcome":"right"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := score.Read(bytes.NewReader(data))
		if err != nil {
			harmless(t, err.Error())
			return
		}
		var text, page bytes.Buffer
		if err := WriteTable(&text, r, 80); err != nil {
			t.Fatal(err)
		}
		if err := WriteComparison(&text, []*score.Report{r, {}}, nil); err != nil {
			t.Fatal(err)
		}
		harmless(t, text.String())
		if err := WritePage(&page, r); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(page.String(), "<script"); n != 1 {
			t.Errorf("%d scripts", n)
		}
	})
}
