//go:build unix

package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// When the terminal is closed, a start ends its trials and gives their cells back.
// That is no failed try.
func TestTerminalClosed(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} slow 5s"}]
scenarios: [ping]
`)
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, syscall.SIGHUP) // otherwise the start would ignore it if these tests run under nohup
	t.Cleanup(func() { signal.Stop(handled) })
	start := f.begin("start", f.plan)
	await(t, "a trial is running", func() bool { _, err := os.Stat(filepath.Join(f.home, "trial")); return err == nil })
	if err := start.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	start.ends(1)
	f.noneAlive()
	f.begin("start", f.plan).ends(0)
	if r := f.allDone(1)[0]; len(r.Tries) > 0 {
		t.Errorf("it was tried again: %s", r.Tries[0].Reason)
	}
}
