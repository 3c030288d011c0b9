package tools

import (
	"fmt"
	"slices"
	"strings"
)

// Assist is how much help with the bytes the agent gets.
type Assist string

const (
	AssistNone  Assist = "none"  // bytes in, bytes out: no summary, no verdict, no check
	AssistCheck Assist = "check" // a packet with a fault is not sent, each fault is named
	AssistFix   Assist = "fix"   // lengths and checksums are filled in
)

// levels in the order of help.
var levels = []Assist{AssistNone, AssistCheck, AssistFix}

// ParseAssist returns the level of that name.
func ParseAssist(name string) (Assist, error) {
	if a := Assist(name); slices.Contains(levels, a) {
		return a, nil
	}
	return "", fmt.Errorf("assist %q: accepted are none, check and fix", name)
}

// upTo lists the levels that a ceiling allows.
func upTo(ceiling Assist) []string {
	var names []string
	for _, level := range levels[:slices.Index(levels, ceiling)+1] {
		names = append(names, string(level))
	}
	return names
}

// inWords says to an agent what each of levels does.
var inWords = []string{
	"none: sent as given, right or wrong",
	"check: a packet with a wrong length or checksum is not sent, each fault is named",
	"fix: lengths and checksums are filled in",
}

// levelsInWords says what the levels that a ceiling allows do.
func levelsInWords(ceiling Assist) string {
	return strings.Join(inWords[:len(upTo(ceiling))], ". ")
}

// under returns the level to use when asked for asked ("" if nothing was) under
// a ceiling: check, unless the ceiling is lower.
func under(ceiling, asked Assist) (Assist, error) {
	if asked == "" {
		if ceiling == AssistNone {
			return AssistNone, nil
		}
		return AssistCheck, nil
	}
	if slices.Index(levels, asked) > slices.Index(levels, ceiling) {
		return "", fmt.Errorf("assist is %q; accepted by this server: %s (the user started it with --assist %s)", asked, strings.Join(upTo(ceiling), ", "), ceiling)
	}
	return asked, nil
}
