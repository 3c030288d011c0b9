package mcpserver

import (
	"bytes"
	"encoding/json"
)

// members calls each for every member of a JSON object, in order and including
// duplicates. The object must be valid JSON. Nothing is copied or decoded, except
// names with escapes.
func members(object []byte, each func(name []byte, value json.RawMessage)) {
	at := skipSpace(object, 0) + 1 // after the brace
	for {
		if at = skipSpace(object, at); at >= len(object) || object[at] == '}' {
			return
		}
		end := skipString(object, at)
		name := object[at+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			var plain string
			_ = json.Unmarshal(object[at:end], &plain) // cannot fail, since it is valid JSON
			name = []byte(plain)
		}
		at = skipSpace(object, end)  // the colon
		at = skipSpace(object, at+1) // the value
		end = skipValue(object, at)
		each(name, object[at:end:end])
		at = skipSpace(object, end) // a comma, or the end
		if at < len(object) && object[at] == ',' {
			at++
		}
	}
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t') {
		at++
	}
	return at
}

// skipString returns the offset after the string that starts at at, past its quote.
func skipString(text []byte, at int) int {
	for at++; text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// skipValue returns the offset after the value that starts at at.
func skipValue(text []byte, at int) int {
	depth := 0
	for at < len(text) {
		switch text[at] {
		case '"':
			at = skipString(text, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			if depth == 0 { // it closes the object or array around the value
				return at
			}
			depth--
			at++
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return at
			}
			at++
			continue
		default:
			at++
			continue
		}
		if depth == 0 {
			return at
		}
	}
	return at
}

// values counts the values in a valid JSON text, including those inside objects and
// arrays. Each costs memory when decoded, even if it has few bytes.
func values(text []byte) int {
	count := 1
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '"':
			at = skipString(text, at) - 1
		case '{', '[', ',':
			count++
		}
	}
	return count
}

// hugeNumber returns a number in a valid JSON text that is too large for a float64,
// or nil if there is none.
func hugeNumber(text []byte) []byte {
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case c == '"':
			at = skipString(text, at) - 1
		case c == '-' || '0' <= c && c <= '9':
			end := at
			for end < len(text) && bytes.IndexByte([]byte("+-.0123456789eE"), text[end]) >= 0 {
				end++
			}
			number := text[at:end]
			if len(number) > 300 || bytes.ContainsAny(number, "eE") { // smaller ones fit: 10^300 does
				var held float64
				if json.Unmarshal(number, &held) != nil {
					return number
				}
			}
			at = end - 1
		}
	}
	return nil
}
