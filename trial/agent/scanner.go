package agent

import (
	"fmt"
	"strconv"
	"strings"
)

// scanner walks over the lines of a result.
type scanner struct {
	rest string
	text string // the line at hand
	at   int    // its number, from 1
	end  bool
}

// line steps to the next line; false: there is none.
func (s *scanner) line() bool {
	if s.end {
		return false
	}
	var more bool
	s.text, s.rest, more = strings.Cut(s.rest, "\n")
	s.end = !more
	s.at++
	return true
}

func (s *scanner) failed(want string) error {
	shown := s.text
	if len(shown) > 80 {
		shown = shown[:80]
	}
	return fmt.Errorf("the result's line %d is %q: %s. Are agent and server of one version?", s.at, shown, want)
}

// numberAndSize reads “#7 84 bytes”, what both tools begin a packet with.
func numberAndSize(line string) (n, size int, rest string, ok bool) {
	rest, ok = strings.CutPrefix(line, "#")
	if !ok {
		return 0, 0, "", false
	}
	if n, rest, ok = number(rest); !ok || n < 1 {
		return 0, 0, "", false
	}
	if rest, ok = strings.CutPrefix(rest, " "); !ok {
		return 0, 0, "", false
	}
	if size, rest, ok = number(rest); !ok || size < 1 || size > longestPacket {
		return 0, 0, "", false
	}
	rest, ok = strings.CutPrefix(rest, " bytes")
	return n, size, rest, ok
}

// longestPacket is the most that an IP packet on a link has, in bytes.
const longestPacket = 65535

// number reads a decimal number, without sign or leading zero.
func number(s string) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 || i > 1 && s[0] == '0' {
		return 0, s, false
	}
	n, err := strconv.Atoi(s[:i])
	return n, s[i:], err == nil
}

// cutSeconds takes a duration behind before: “, waited 0.4 s”.
func cutSeconds(s, before string) (rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, before); !ok {
		return "", false
	}
	if _, s, ok = number(s); !ok {
		return "", false
	}
	if fraction, ok := strings.CutPrefix(s, "."); ok {
		s = strings.TrimLeft(fraction, "0123456789")
		if s == fraction {
			return "", false
		}
	}
	return strings.CutPrefix(s, " s")
}

// plain tells whether s may be shown: no control characters, no empty text.
func plain(s string) bool {
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return false
		}
	}
	return s != ""
}
