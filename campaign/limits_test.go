//go:build unix

package main

import (
	"strings"
	"testing"
)

// A limit that was raised between two starts also holds for the cells that were in
// the queue before.
func TestRaisedLimit(t *testing.T) {
	const short = `
agents: [{name: a, agent: "{config} slow 2s", parallel: 1}]
scenarios: [ping]
repetitions: 2
limits: {trial: 500ms, wait: 2s}
`
	f := newField(t, short)
	start := f.begin("start", f.plan)
	start.says("took longer than 500ms")
	start.interrupt()
	start.ends(1)
	f.write(strings.Replace(short, "trial: 500ms", "trial: 10m", 1))
	f.begin("start", f.plan).ends(0)
	for _, r := range f.allDone(2) {
		if len(r.Tries) > 1 {
			t.Errorf("%s was tried again: %s", r.Cell, r.Tries[1].Reason)
		}
	}
}
