package ladder

import (
	"strings"
	"unicode"
)

// Line returns text as one line that is safe on a terminal, cut after limit characters; a
// limit of 0 means no cut. A tab becomes a space. Other characters that are not printable
// (escape sequences, line breaks, combining marks, marks that change the direction of text)
// become question marks.
func Line(text string, limit int) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return ' '
		case !unicode.IsPrint(c) || unicode.Is(unicode.M, c) || c == unicode.ReplacementChar:
			return '?'
		}
		return c
	}, text)
	if len(text) <= limit || limit == 0 { // bytes are at least as many as characters
		return text
	}
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:max(limit-1, 0)]) + "…"
	}
	return text
}
