//go:build unix

package main

import (
	"strings"
	"testing"
)

// A plan with a mistake that the built-in agent cannot make is refused.
func TestUnknownMistake(t *testing.T) {
	f := newField(t, "agents: [{name: a, agent: builtin, mistake: slip}]\nscenarios: [ping]\n")
	if out := f.begin("start", f.plan).ends(2); !strings.Contains(out, `agent a: there is no mistake "slip"; accepted are `) {
		t.Errorf("start says %s", out)
	}
	if f.folder.Started() {
		t.Error("the folder has the plan, so it can no longer change")
	}
}
