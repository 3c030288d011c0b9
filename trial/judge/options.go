package judge

import "fmt"

// oddOption returns what is wrong with the lengths of the options in b, or "" if nothing
// is. A receiver drops packets whose options do not fit. With version 4, b has options of
// IPv4 or TCP (RFC 791 section 3.1, RFC 9293 section 3.1): 0 ends the list, 1 is a single
// byte, and any other has a length that includes its type and length bytes. With version
// 6, b has options of an IPv6 extension header (RFC 8200 section 4.2): 0 is a single
// byte, and a length does not include those two bytes.
func oddOption(b []byte, version int) string {
	alone, uncounted := byte(1), 0
	if version == 6 {
		alone, uncounted = 0, 2
	}
	for at := 0; at < len(b); {
		switch left := len(b) - at; {
		case b[at] == alone:
			at++
		case b[at] == 0:
			return ""
		case left == 1:
			return fmt.Sprintf("option %d has no length", b[at])
		default:
			size := int(b[at+1]) + uncounted
			if size < 2 || size > left {
				return fmt.Sprintf("option %d has length %d, accepted are 2 to %d", b[at], size, left)
			}
			at += size
		}
	}
	return ""
}
