package packet

import "strconv"

const hexDigits = "0123456789abcdef"

// lineLen is the number of bytes on a line of Words and Dump.
const lineLen = 16

// Words formats the first limit bytes of b as 16-bit words, 16 bytes a line, after
// the decimal offset of the first byte:
//
//	0: 4500 0054 1a11 4000 4001 0bfc 0a4d 0001
//	16: 0a4d 0002 0800
//	+ 62 more bytes
//
// An odd last byte is two digits. If bytes are left out, the last line says how many.
// Every line ends in a newline; an empty packet has no line.
func Words(b []byte, limit int) string {
	shown := b[:min(len(b), max(limit, 0))]
	out := make([]byte, 0, len(shown)*5/2+(len(shown)/lineLen+2)*8+16)
	for at := 0; at < len(shown); at += lineLen {
		out = strconv.AppendInt(out, int64(at), 10)
		out = append(out, ": "...)
		out = appendWords(out, shown[at:min(at+lineLen, len(shown))])
		out = append(out, '\n')
	}
	if left := len(b) - len(shown); left > 0 {
		out = append(out, "+ "...)
		out = strconv.AppendInt(out, int64(left), 10)
		out = append(out, " more byte"...)
		if left > 1 {
			out = append(out, 's')
		}
		out = append(out, '\n')
	}
	return string(out)
}

// appendWords appends b as 16-bit words, separated by spaces.
func appendWords(out, b []byte) []byte {
	for i, c := range b {
		if i > 0 && i%2 == 0 {
			out = append(out, ' ')
		}
		out = append(out, hexDigits[c>>4], hexDigits[c&15])
	}
	return out
}
