package judge

import "fmt"

// oddOption says what is wrong with the lengths of the options in b, "" if
// nothing is: a receiver throws away what carries an option that does not fit.
// Options of IPv4 and TCP are alike (RFC 791 section 3.1, RFC 9293 section 3.1):
// 0 ends the list, 1 is a byte alone, and the length of any other counts its
// type and itself. In an extension header of IPv6 (RFC 8200 section 4.2) 0 is a
// byte alone, and a length counts neither.
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
				return fmt.Sprintf("option %d is %d bytes long, %d are there", b[at], size, left)
			}
			at += size
		}
	}
	return ""
}
