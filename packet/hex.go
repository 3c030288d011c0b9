package packet

import "fmt"

// ParseHex parses hex digits. ASCII white space may separate bytes, but not the two
// digits of a byte: "4500 0054" and "45 00" are both fine. Nothing else is allowed,
// neither "0x" nor offsets. At most MaxLen bytes are accepted. An error names the
// character and its position, counted in characters from 0.
func ParseHex(s string) ([]byte, error) {
	out := make([]byte, 0, min(len(s)/2, MaxLen))
	var high rune = -1 // the first digit of a byte while the second is missing, else -1
	var highValue byte
	highAt, position, digits := 0, 0, 0
	for _, c := range s {
		value, isDigit := digit(c)
		switch {
		case isDigit && high < 0:
			if len(out) == MaxLen {
				return nil, fmt.Errorf("hex: more than %d bytes: no packet is that long", MaxLen)
			}
			high, highValue, highAt = c, value, position
			digits++
		case isDigit:
			out = append(out, highValue<<4|value)
			high = -1
			digits++
		case !isSpace(c):
			return nil, fmt.Errorf("hex: character %+q at position %d is not a hex digit", c, position)
		case high >= 0:
			return nil, fmt.Errorf("hex: white space follows the single digit '%c' at position %d: write each byte as two digits", high, highAt)
		}
		position++
	}
	if high >= 0 {
		return nil, fmt.Errorf("hex: %d digits, an odd number, the last is '%c' at position %d: write each byte as two digits", digits, high, highAt)
	}
	return out, nil
}

func digit(c rune) (value byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return byte(c - '0'), true
	case c >= 'a' && c <= 'f':
		return byte(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return byte(c-'A') + 10, true
	}
	return 0, false
}

func isSpace(c rune) bool { return c == ' ' || c >= '\t' && c <= '\r' }
