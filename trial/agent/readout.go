package agent

import (
	"fmt"
	"strings"
)

// readout is what one read_packet said.
type readout struct {
	packets []readPacket // oldest first; none: nothing came in time
	queued  int          // packets that still wait at the server
	dropped int          // packets that the server has dropped, since its start
}

// readPacket is one packet of a readout.
type readPacket struct {
	number  int    // the packet's
	size    int    // bytes
	repeats int    // the number of the segment that it repeats; then there is no data
	summary string // the server's words about it; none with assist none
	data    []byte // the whole packet
}

// parseReadout reads the text of a read_packet result back into packets:
//
//	#7 84 bytes, waited 0.4 s: IPv4 10.77.0.1 > …
//	0: 4500 0054 1a11 …
//	16: 0a4d …
//	#9 60 bytes: retransmission of #7
//	2 more queued, 0 dropped
//
// It takes the server's words only where they must stand: the size in the
// first line says how many lines of bytes follow, and those are offsets and
// hex digits alone. Nothing that a packet holds can pass for a line of its
// own. A packet whose bytes were not all shown is an error.
func parseReadout(text string) (readout, error) {
	var r readout
	if strings.HasPrefix(text, "no packet in ") && !strings.Contains(text, "\n") {
		return r, nil
	}
	s := scanner{rest: text}
	for s.line() {
		if !strings.HasPrefix(s.text, "#") {
			var ok bool
			if r.queued, r.dropped, ok = parseTrailer(s.text); !ok {
				return r, s.failed("want a packet's line or “2 more queued, 0 dropped”")
			}
			if s.line() || len(r.packets) == 0 {
				return r, s.failed("want the counts as the last line behind at least one packet")
			}
			return r, nil
		}
		p, err := s.packet()
		if err != nil {
			return r, err
		}
		if n := len(r.packets); n > 0 && r.packets[n-1].number >= p.number {
			return r, s.failed("want numbers in order")
		}
		r.packets = append(r.packets, p)
	}
	return r, s.failed("want “2 more queued, 0 dropped” at the end")
}

func parseTrailer(line string) (queued, dropped int, ok bool) {
	queued, line, ok = number(line)
	if !ok {
		return 0, 0, false
	}
	if line, ok = strings.CutPrefix(line, " more queued, "); !ok {
		return 0, 0, false
	}
	dropped, line, ok = number(line)
	return queued, dropped, ok && line == " dropped"
}

// packet reads a packet; its first line is s.text.
func (s *scanner) packet() (p readPacket, err error) {
	rest, ok := "", false
	if p.number, p.size, rest, ok = numberAndSize(s.text); !ok {
		return p, s.failed("want “#7 84 bytes”")
	}
	if again, ok := strings.CutPrefix(rest, ": retransmission of #"); ok {
		// What is said of its answer is for an agent that has no memory.
		if p.repeats, rest, ok = number(again); !ok || rest != "" && !plain(rest) || p.repeats < 1 || p.repeats >= p.number {
			return p, s.failed("want “: retransmission of #” and the number of an earlier packet")
		}
		p.summary = fmt.Sprintf("retransmission of #%d", p.repeats)
		return p, nil
	}
	if rest, ok = cutSeconds(rest, ", waited "); !ok {
		return p, s.failed("want “, waited 0.4 s”")
	}
	if rest != "" {
		if p.summary, ok = strings.CutPrefix(rest, ": "); !ok || !plain(p.summary) {
			return p, s.failed("want a colon and a summary in plain words")
		}
	}
	p.data = make([]byte, 0, p.size)
	for len(p.data) < p.size {
		if !s.line() {
			return p, s.failed(fmt.Sprintf("want %d bytes of packet #%d, got %d", p.size, p.number, len(p.data)))
		}
		if p.data, ok = appendWords(p.data, s.text, p.size); !ok {
			return p, s.failed(fmt.Sprintf("want the bytes of packet #%d from %d on", p.number, len(p.data)))
		}
	}
	return p, nil
}

// wordsLen is how many bytes stand on a line.
const wordsLen = 16

// appendWords appends the bytes of a line, "16: 0a4d 0002 0800", to those that
// came before it. The line must hold exactly what is due of size bytes.
func appendWords(data []byte, line string, size int) ([]byte, bool) {
	at, words, ok := number(line)
	if !ok || at != len(data) || !strings.HasPrefix(words, ": ") {
		return data, false
	}
	words = words[2:]
	due := min(size-len(data), wordsLen)
	if len(words) != 2*due+(due-1)/2 {
		return data, false
	}
	for i := range due {
		if i > 0 && i%2 == 0 {
			if words[0] != ' ' {
				return data, false
			}
			words = words[1:]
		}
		high, low := digits[words[0]], digits[words[1]]
		if high > 15 || low > 15 {
			return data, false
		}
		data = append(data, high<<4|low)
		words = words[2:]
	}
	return data, true
}

// digits is the value of each lower-case hex digit, 255 for what is none.
var digits = func() (all [256]byte) {
	for c := range all {
		all[c] = 255
	}
	for value, c := range "0123456789abcdef" {
		all[c] = byte(value)
	}
	return all
}()
