package handler

import (
	"fmt"
	"regexp"
	"strings"
)

const noModules = "there are no modules; a packet has len(p), p[i], p[a:b], " + packetMethods

// reserved has the words of Python that the parser refuses, and what to do without them.
var reserved = map[string]string{
	"as":       "a name cannot be given in this way",
	"async":    "handle runs once for each packet, and tick when time passes",
	"await":    "handle runs once for each packet, and tick when time passes",
	"class":    "use functions and dicts",
	"del":      "use d.pop(key), or assign None",
	"except":   "errors cannot be caught, so check first, for instance len(p) or d.get(key)",
	"finally":  "errors cannot be caught, so check first, for instance len(p) or d.get(key)",
	"from":     noModules,
	"global":   "globals are constant after loading; keep values that change in state",
	"import":   noModules,
	"is":       "use == or !=",
	"nonlocal": "keep values that change in state",
	"raise":    "fail(\"why\") ends the call with an error",
	"try":      "errors cannot be caught, so check first, for instance len(p) or d.get(key)",
	"with":     "nothing has to be closed",
	"yield":    "return a list of packets",
}

// fString matches an f-string at the end of a text.
var fString = regexp.MustCompile(`\b[fF]("[^"]*"|'[^']*')$`)

// python returns what to write instead if a fault of the parser is due to syntax that only
// Python has, and the parser's own words otherwise.
func python(f *Fault) string {
	got, want, _ := strings.Cut(strings.TrimPrefix(f.Problem, "got "), ", want ")
	if instead := reserved[got]; instead != "" {
		return fmt.Sprintf("%s is not accepted: %s", got, instead)
	}
	if want == "" || f.Column < 1 || f.Column > len(f.Text)+1 {
		return f.Problem
	}
	before, after := f.Text[:f.Column-1], f.Text[f.Column-1:] // the parser may be behind what it got
	typed := got == "':'" && want == "')'" || got == "'-'" && strings.HasPrefix(after, ">")
	switch {
	case typed && strings.HasPrefix(strings.TrimSpace(before), "def "):
		return "types are not accepted: give only the names of the parameters"
	case got == "string literal" && fString.MatchString(before):
		return `f-strings are not accepted: write "%d" % x`
	}
	return f.Problem
}
