package handler

import (
	"strings"
	"testing"
)

// state is a dict in every operation, also in other values, and globals that refer to it do
// not freeze it.
func TestStateIsADict(t *testing.T) {
	const source = `
alias = state
nested = [{"s": state}]
state["n"] = 1
state["l"] = []
def handle(p):
    state["l"].append(2)
    alias["k"] = len(nested[0]["s"])
    twice = alias
    twice |= {"m": 3}
    twice.update(state)
    results = [
`
	for _, e := range []string{
		`state == state`, `dict(state) == state`, `state == dict(state)`, `state != {}`, `[state] == [dict(state)]`, `state in [1, state]`,
		`dict(state) in [state]`, `nested == [{"s": state}]`, `[state].index(dict(state)) == 0`, `(state | {"x": 1})["x"] == 1`, `"n" in ({} | state)`,
		`type(state) == type({})`, `state == {"n": 1, "l": [2], "k": 2, "m": 3}`, `"m" in state and "q" not in state`, `str(state) == str(dict(state))`,
	} {
		h, err := Load(source+"        "+e+"]\n    return [] if results[0] else None", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, taken, err := h.Handle(nil); !taken || err != nil {
			t.Errorf("%s: %v, %v", e, taken, err)
		}
	}
	h := mustLoad(t, "l = [[]]\nstate['l'] = l\ndef handle(p):\n  state['l'].append(1)", Options{})
	if _, _, err := h.Handle(nil); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a global in state: %v, want that it is frozen", err)
	}
}
