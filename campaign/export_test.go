package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The CSV of requests tells probes, which no tally counts, from the others.
func TestExportedRequestsNameProbes(t *testing.T) {
	column := slices.Index(requestHead, "probe")
	if column < 0 {
		t.Fatalf("%q has no probe", requestHead)
	}
	for _, probe := range []bool{false, true} {
		row := requestRow(request{Exchange: score.Exchange{N: 1, Probe: probe}})
		if want := map[bool]string{false: "false", true: "true"}[probe]; len(row) != len(requestHead) || row[column] != want {
			t.Errorf("%q, want %q at %d", row, want, column)
		}
	}
}

// An export that fails leaves the file of the last one as it was.
func TestFailedExportKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	folder, output := record.Folder(filepath.Join(dir, "c.campaign")), filepath.Join(dir, "out.csv")
	p := &plan.Plan{Name: "c", Agents: []plan.Agent{{Name: "a", Agent: "builtin", Parallel: 1}}, Scenarios: []string{"ping"}, Assist: []string{"fix"}, Repetitions: 1}
	if err := folder.Make(); err != nil {
		t.Fatal(err)
	}
	if err := folder.Keep(p); err != nil {
		t.Fatal(err)
	}
	const done = `{"cell":"a_ping_fix_1","agent":"a","scenario":"ping","assist":"fix","repetition":1,"state":"done"}` + "\n" // its trial is missing
	for path, text := range map[string]string{folder.Results(): done, output: "old"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) error {
		cmd := newCommand()
		cmd.SetOut(io.Discard)
		cmd.SetArgs(append([]string{"export", string(folder), "-o", output}, args...))
		return cmd.Execute()
	}
	if err := run("--requests"); err == nil {
		t.Error("a missing trial is no error")
	}
	if text, err := os.ReadFile(output); err != nil || string(text) != "old" {
		t.Errorf("after a failed export the file has %q, %v", text, err)
	}
	if err := run(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(output); err != nil || len(text) < 100 {
		t.Errorf("after an export the file has %q, %v", text, err)
	}
}
