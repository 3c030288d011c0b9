package record

import (
	"os"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

func openBook(t *testing.T, f Folder) *Book {
	t.Helper()
	b, err := f.OpenBook()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestBook(t *testing.T) {
	f := Folder(t.TempDir())
	b := openBook(t, f)
	for _, r := range []Record{
		{Cell: "a", State: Done, Usage: &score.Usage{CostUSD: 1.5, InputTokens: 3, OutputTokens: 4}},
		{Cell: "b", State: Failed, Tries: []Try{{CostUSD: 0.25}, {}}, Waits: 1},
		{Cell: "a", State: Failed}, // a second verdict of a cell
	} {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.End([]plan.Cell{{ID: "a"}, {ID: "c"}}, Cancelled, "why"); err != nil {
		t.Fatal(err)
	}
	want := Sum{Done: 1, Failed: 1, Cancelled: 1, Retried: 2, Waits: 1, CostUSD: 1.75, Tokens: 7}
	if b.Sum() != want {
		t.Errorf("the counts are %+v, want %+v", b.Sum(), want)
	}
	if again := openBook(t, f); again.Sum() != want || !again.Has("a") || again.Has("d") {
		t.Errorf("after reopening, the counts are %+v, want %+v", again.Sum(), want)
	}
	if err := f.DropFailed(); err != nil {
		t.Fatal(err)
	}
	if again := openBook(t, f); again.Has("b") || again.Sum().Ended() != 2 {
		t.Errorf("after DropFailed, the counts are %+v", again.Sum())
	}
}

// A crash may leave an incomplete line. It is removed, and its cell runs again.
func TestBookWithTornLine(t *testing.T) {
	f := Folder(t.TempDir())
	const line = `{"cell":"a","state":"done"}` + "\n"
	if err := os.WriteFile(f.Results(), []byte(line+`{"cell":"b","sta`), 0o600); err != nil {
		t.Fatal(err)
	}
	if records, err := f.Records(); err != nil || len(records) != 1 {
		t.Errorf("%d records, %v, want 1 without the incomplete line", len(records), err)
	}
	b := openBook(t, f)
	if b.Has("b") {
		t.Error("the incomplete line counts as a record")
	}
	if err := b.Add(Record{Cell: "b", State: Done}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(f.Results())
	if err != nil || strings.Count(string(data), "\n") != 2 || !strings.HasPrefix(string(data), line) {
		t.Errorf("the file is %q, %v", data, err)
	}
	if err := os.WriteFile(f.Results(), []byte("nonsense\n"+line), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.OpenBook(); err == nil || !strings.Contains(err.Error(), "line 1 is not a record") {
		t.Errorf("a line that is not a record: %v", err)
	}
}

func TestKeep(t *testing.T) {
	f := Folder(t.TempDir())
	p := &plan.Plan{Name: "p", Agents: []plan.Agent{{Name: "a", Agent: "builtin", Parallel: 1}}, Scenarios: []string{"ping"}, Repetitions: 2}
	if err := f.Keep(p); err != nil {
		t.Fatal(err)
	}
	p.Limits.Minutes = 5
	if err := f.Keep(p); err != nil {
		t.Errorf("a plan with other limits: %v", err)
	}
	p.Repetitions = 3
	if err := f.Keep(p); err == nil || !strings.Contains(err.Error(), "the plan was changed") {
		t.Errorf("a changed plan: %v", err)
	}
	if kept, err := f.Plan(); err != nil || kept.Repetitions != 2 || kept.Limits.Minutes != 5 {
		t.Errorf("the folder has the plan %+v, %v", kept, err)
	}
}

func TestLock(t *testing.T) {
	f := Folder(t.TempDir())
	release, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Lock(); err != ErrLocked || !f.Locked() {
		t.Errorf("a second lock: %v", err)
	}
	release()
	if f.Locked() {
		t.Error("the folder is still locked after release")
	}
}

// A folder with other files is refused.
func TestMake(t *testing.T) {
	f := Folder(t.TempDir())
	if err := f.Make(); err != nil {
		t.Fatal(err)
	}
	other := Folder(t.TempDir())
	if err := os.WriteFile(string(other)+"/thesis.tex", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := other.Make(); err == nil || !strings.Contains(err.Error(), "contains other files") {
		t.Errorf("a folder with other files: %v", err)
	}
}
