package tools

import (
	"fmt"
	"slices"
	"strings"
)

// Assist is the level of help that the agent gets with the bytes of a packet.
type Assist string

const (
	AssistNone  Assist = "none"  // bytes in, bytes out: no summary, no verdict, no check
	AssistCheck Assist = "check" // a faulty packet is not sent; each fault is named
	AssistFix   Assist = "fix"   // lengths and checksums are filled in
)

// levels are ordered from least to most help.
var levels = []Assist{AssistNone, AssistCheck, AssistFix}

// ParseAssist returns the level called name. Any other name is an error.
func ParseAssist(name string) (Assist, error) {
	if a := Assist(name); slices.Contains(levels, a) {
		return a, nil
	}
	return "", fmt.Errorf("assist %q: unknown; use none, check or fix", name)
}

// upTo returns the names of the levels up to ceiling, including it.
func upTo(ceiling Assist) []string {
	var names []string
	for _, level := range levels[:slices.Index(levels, ceiling)+1] {
		names = append(names, string(level))
	}
	return names
}

// inWords explains each of levels to the agent, in the same order.
var inWords = []string{
	"none: sent as given, right or wrong",
	"check: a packet with a wrong length or checksum is not sent, each fault is named",
	"fix: lengths and checksums are filled in",
}

// levelsInWords explains the levels up to ceiling.
func levelsInWords(ceiling Assist) string {
	return strings.Join(inWords[:len(upTo(ceiling))], ". ")
}

// under returns the level to use for a call that asks for asked. With "" it
// returns check, or none if that is the ceiling. Asking for more than the
// ceiling is an error.
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
