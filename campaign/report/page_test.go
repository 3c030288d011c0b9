package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A trial's page appears whole: it is written to another file, which is then renamed.
func TestTrialPageAppearsWhole(t *testing.T) {
	dir := t.TempDir()
	from, to, other := filepath.Join(dir, "a.json"), filepath.Join(dir, "a.html"), filepath.Join(dir, "b.html")
	if err := (&score.Report{Version: score.Version, Scenarios: []score.Result{}}).Save(from); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(to, other); err != nil { // sees what is written into the old file
		t.Fatal(err)
	}
	if err := WriteTrialPage(from, to); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "old" {
		t.Errorf("the page was written in place: %.40q, %v", text, err)
	}
	if text, err := os.ReadFile(to); err != nil || len(text) < 1000 {
		t.Errorf("the page is %q, %v", text, err)
	}
}
