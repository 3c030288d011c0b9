package packet

import (
	"fmt"
	"strings"
)

// Dump returns the text of the hexdump tool. It shows up to 8,192 bytes of b,
// starting at offset from: 16-bit words, 16 bytes a line, after the decimal offset
// of the first byte.
//
// If ascii is true, each line also shows its bytes as printable ASCII ('.' for
// others) between two bars. The first bar is in the same column of every line and
// the second one ends the line, so a '|' from a packet is never mistaken for a bar.
// Bytes of the packet appear as text only between the bars.
//
// If fields is true, the header fields follow, each with offset, size in bytes (or
// bits), name and meaning, then the range of the payload, the verdict on each
// checksum, and every other fault that Check finds.
//
// Every line ends in a newline. The dump of 1,500 bytes is about 7,000 bytes long.
func Dump(b []byte, from int, fields, ascii bool) string {
	var s sheet
	s.bytes(b, min(max(from, 0), len(b)), ascii)
	if !fields {
		return s.String()
	}
	v := parse(b)
	if v.version == 0 {
		s.WriteString("\nnot an IP packet: " + v.notIP() + "\n")
		return s.String()
	}
	s.WriteByte('\n')
	if v.version == 4 {
		s.ipv4(&v)
	} else {
		s.ipv6(&v)
	}
	s.transport(&v)
	s.WriteByte('\n')
	s.verdicts(&v)
	return s.String()
}

// sheet is the text of a Dump.
type sheet struct{ strings.Builder }

// dumpBytes is the most bytes that a Dump shows. Clients do not pass texts of over
// 50,000 characters to their models.
const dumpBytes = 8192

// bytes writes the plain dump, starting at offset from.
func (s *sheet) bytes(b []byte, from int, ascii bool) {
	if left := len(b) - from - dumpBytes; left > 0 {
		defer fmt.Fprintf(s, "+ %d more bytes, from %d\n", left, from+dumpBytes)
		b = b[:from+dumpBytes]
	}
	width := len(fmt.Sprint(max(len(b)-1, 0) / lineLen * lineLen))
	for at := from; at < len(b); at += lineLen {
		line := b[at:min(at+lineLen, len(b))]
		words := appendWords(nil, line)
		if !ascii {
			fmt.Fprintf(s, "%*d: %s\n", width, at, words)
			continue
		}
		fmt.Fprintf(s, "%*d: %-39s  |%s|\n", width, at, words, printable(line))
	}
}

func printable(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		if c < ' ' || c > '~' {
			c = '.'
		}
		out[i] = c
	}
	return out
}

// title writes the line that starts a header.
func (s *sheet) title(name string, size int) { fmt.Fprintf(s, "%s, %d bytes\n", name, size) }

// field writes a line with offset, size in bytes, name and meaning.
func (s *sheet) field(at, size int, name, format string, args ...any) {
	s.line(at, fmt.Sprint(size), name, fmt.Sprintf(format, args...))
}

// bits is like field, with the size in bits; at is the byte of the first bit.
func (s *sheet) bits(at, size int, name, format string, args ...any) {
	s.line(at, fmt.Sprint(size, " bits"), name, fmt.Sprintf(format, args...))
}

func (s *sheet) line(at int, size, name, meaning string) {
	text := fmt.Sprintf("%5d  %-7s  %-22s  %s", at, size, name, meaning)
	s.WriteString(strings.TrimRight(text, " ") + "\n")
}

// payload writes the range of bytes after the headers, from up to but not including
// to.
func (s *sheet) payload(name string, from, to int) {
	switch to - from {
	case 0:
		fmt.Fprintf(s, "%s: none\n", name)
	case 1:
		fmt.Fprintf(s, "%s: byte %d\n", name, from)
	default:
		fmt.Fprintf(s, "%s: bytes %d to %d, %d bytes\n", name, from, to-1, to-from)
	}
}

// verdicts writes a line for each checksum and for each fault that is not about a
// checksum.
func (s *sheet) verdicts(v *view) {
	faults := v.check()
	header, once := "", "" // conditions of the verdicts
	for _, fault := range faults {
		if strings.HasSuffix(fault.Field, "length") && fault.Bound == Exactly {
			once = " once the lengths are right"
			if fault.Layer == "IPv4" {
				header = once
			}
		}
	}
	if v.hdr > 0 && v.version == 4 {
		given, want := v.headerChecksum()
		if checksum(sum(v.b[:v.hdr], 0)) == 0 && !agrees(given, want) {
			fmt.Fprintf(s, "IPv4 header checksum 0x%04x: ok as the header stands, 0x%04x%s\n", given, want, header)
		} else {
			s.verdict("IPv4 header checksum", given, want, header)
		}
	}
	given, want, _, ok := v.transportChecksum()
	name := v.kind.layer() + " checksum"
	switch {
	case ok && v.checksumAbsent(given):
		fmt.Fprintf(s, "%s: not present (UDP over IPv4 may leave it out)\n", name)
	case ok:
		s.verdict(name, given, want, once)
	case v.frag:
		s.WriteString("transport checksum: cannot be judged: fragment\n")
	case v.bad.Field != "":
		s.WriteString("transport checksum: cannot be judged: damaged header\n")
	default:
		fmt.Fprintf(s, "no checksum is known for protocol %s\n", appendProtocol(nil, v.proto))
	}
	for _, fault := range faults {
		if !strings.HasSuffix(fault.Field, "checksum") {
			fmt.Fprintf(s, "fault at offset %d: %s\n", fault.At, fault)
		}
	}
}

func (s *sheet) verdict(name string, given, want uint16, once string) {
	if agrees(given, want) {
		fmt.Fprintf(s, "%s 0x%04x: ok%s\n", name, given, once)
		return
	}
	fmt.Fprintf(s, "%s 0x%04x: should be 0x%04x%s\n", name, given, want, once)
}
