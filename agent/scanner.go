package agent

import (
	"fmt"
	"strconv"
	"strings"
)

// scanner steps through the lines of a result.
type scanner struct {
	rest string
	text string // the current line
	at   int    // its number, from 1
	end  bool
}

// line steps to the next line and reports whether there is one.
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
	return fmt.Errorf("line %d of the result is %q: %s; check that agent and server have the same version", s.at, shown, want)
}

// numberAndSize parses “#7 84 bytes”, the start of a packet's line in both tools.
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

// numberRanges parses “#7” or “#59-#61, #63”: ascending numbers.
func numberRanges(line string) (numbers []int, rest string, ok bool) {
	for rest = line; ; {
		if rest, ok = strings.CutPrefix(rest, "#"); !ok {
			return nil, line, false
		}
		var from, to int
		if from, rest, ok = number(rest); !ok || from < 1 || len(numbers) > 0 && from <= numbers[len(numbers)-1] {
			return nil, line, false
		}
		to = from
		if more, isRange := strings.CutPrefix(rest, "-#"); isRange {
			if to, rest, ok = number(more); !ok || to <= from || to-from >= batchPackets*8 {
				return nil, line, false
			}
		}
		for n := from; n <= to; n++ {
			numbers = append(numbers, n)
		}
		more, again := strings.CutPrefix(rest, ", ")
		if !again || !strings.HasPrefix(more, "#") {
			return numbers, rest, true
		}
		rest = more
	}
}

// longestPacket is the longest IP packet on a link, in bytes.
const longestPacket = 65535

// number parses a decimal number without sign or leading zeros.
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

// cutSeconds removes before and a duration from the start of s: “, waited 0.4 s”.
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

// plain reports whether s is safe to show: not empty, without control characters.
func plain(s string) bool {
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return false
		}
	}
	return s != ""
}
