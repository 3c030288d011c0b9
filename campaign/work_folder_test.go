//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Two workers share a folder in which the user has a folder named work. All trials
// run, the user's file stays, and nothing else does.
func TestWorkFolder(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} slow 100ms", parallel: 4}]
scenarios: [ping]
repetitions: 12
`)
	shared := t.TempDir()
	if err := os.Mkdir(filepath.Join(shared, "work"), 0o700); err != nil {
		t.Fatal(err)
	}
	thesis := filepath.Join(shared, "work", "thesis.tex")
	if err := os.WriteFile(thesis, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start, address := f.listen()
	one := f.work(address, "--folder", shared)
	f.ended(1)
	other := f.work(address, "--folder", shared)
	start.ends(0)
	one.ends(0)
	other.ends(0)
	for _, r := range f.allDone(12) {
		if len(r.Tries) > 0 {
			t.Errorf("%s was tried again: %s", r.Cell, r.Tries[0].Reason)
		}
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(shared); err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v, want only work", left, err)
	}
}
