package agent

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// readout is the result of one read_packet.
type readout struct {
	packets []readPacket // oldest first; empty if none came in time
	queued  int          // packets still in the server's queue
	dropped int          // packets that the server has dropped since its start
}

// readPacket is one packet of a readout.
type readPacket struct {
	number  int
	size    int    // in bytes; 0 if unknown, for a retransmission
	repeats int    // for a retransmission, the number of the first segment; data is then nil
	summary string // the server's summary; empty with assist none
	data    []byte // the whole packet
}

// parseReadout parses the result of read_packet back into packets:
//
//	#7 84 bytes, waited 0.4 s: IPv4 10.77.0.1 > …
//	0: 4500 0054 1a11 …
//	16: 0a4d …
//	#8 waited 0.3 s: seq 2, checksums ok; as #7 but 22: 4e76 26: 0002
//	#9 60 bytes: retransmission of #7
//	#10-#12: 3 times #7, sent before your answer #13
//	2 more queued, 0 dropped
//
// It is strict: the size in a packet's first line determines how many lines of
// bytes follow, and these hold only offsets and hex digits. So no content of a
// packet can pass for a line of the result. A packet that is not shown in full is
// an error.
func parseReadout(text string) (readout, error) {
	var r readout
	text, _, _ = strings.Cut(text, "\nYour handler ") // notes about handlers are not for this agent
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
				return r, s.failed("want the counts in the last line, after at least one packet")
			}
			return r, nil
		}
		packets, err := s.packets(r.packets)
		if err != nil {
			return r, err
		}
		for _, p := range packets {
			if n := len(r.packets); n > 0 && r.packets[n-1].number >= p.number {
				return r, s.failed("want numbers in order")
			}
			r.packets = append(r.packets, p)
		}
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

// packets parses one packet, or several retransmissions in one line, starting at
// the current line. before has the earlier packets of the result.
func (s *scanner) packets(before []readPacket) ([]readPacket, error) {
	numbers, rest, ok := numberRanges(s.text)
	if !ok {
		return nil, s.failed("want “#7 84 bytes”")
	}
	if again, ok := strings.CutPrefix(rest, ": "); ok {
		var times, repeats int
		if times, rest, ok = number(again); ok {
			rest, ok = strings.CutPrefix(rest, " times #")
		}
		if ok {
			repeats, rest, ok = number(rest)
		}
		if !ok || times != len(numbers) || rest != "" && !plain(rest) || repeats < 1 || repeats >= numbers[0] {
			return nil, s.failed("want “: 3 times #” and the number of an earlier packet")
		}
		packets := make([]readPacket, len(numbers))
		for i, n := range numbers {
			packets[i] = readPacket{number: n, repeats: repeats, summary: fmt.Sprintf("retransmission of #%d", repeats)}
		}
		return packets, nil
	}
	read := s.packet
	if strings.HasPrefix(rest, " waited ") {
		read = func() (readPacket, error) { return s.resembling(numbers[0], rest, before) }
	}
	p, err := read()
	return []readPacket{p}, err
}

// resembling parses packet #n, shown as a difference from an earlier packet. rest
// is its line after the number.
func (s *scanner) resembling(n int, rest string, before []readPacket) (p readPacket, err error) {
	rest, ok := cutSeconds(rest, " waited ")
	if ok {
		rest, ok = strings.CutPrefix(rest, ": ")
	}
	at := strings.LastIndex(rest, "as #")
	if !ok || at < 0 || at > 0 && !strings.HasSuffix(rest[:at], "; ") || at > 0 && !plain(rest[:at]) {
		return p, s.failed("want “ waited 0.4 s: ” and “as #7”")
	}
	p.number, p.summary = n, strings.TrimSuffix(rest[:at], "; ")
	base, differences, ok := number(rest[at+len("as #"):])
	i := slices.IndexFunc(before, func(b readPacket) bool { return b.number == base && b.data != nil })
	if !ok || i < 0 {
		return p, s.failed("want the number of an earlier packet of this result")
	}
	p.data, p.size = slices.Clone(before[i].data), before[i].size
	if differences == "" {
		return p, nil
	}
	differences, ok = strings.CutPrefix(differences, " but ")
	offset := -1
	for word := range strings.SplitSeq(differences, " ") {
		if digits, ends := strings.CutSuffix(word, ":"); ends {
			n, left, isNumber := number(digits)
			if offset, ok = n, ok && isNumber && left == ""; !ok {
				break
			}
			continue
		}
		value, err := hex.DecodeString(word)
		if ok = ok && err == nil && offset >= 0 && len(value) <= 2 && offset+len(value) <= p.size && word == strings.ToLower(word); !ok {
			break
		}
		copy(p.data[offset:], value)
		offset += len(value)
	}
	if !ok {
		return p, s.failed("want offsets and the words that differ, “22: 4e76”")
	}
	return p, nil
}

// packet parses one packet, starting at the current line.
func (s *scanner) packet() (p readPacket, err error) {
	rest, ok := "", false
	if p.number, p.size, rest, ok = numberAndSize(s.text); !ok {
		return p, s.failed("want “#7 84 bytes”")
	}
	if again, ok := strings.CutPrefix(rest, ": retransmission of #"); ok {
		// The rest, about the answer, is for agents without a memory.
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

// wordsLen is the number of bytes on a line.
const wordsLen = 16

// appendWords appends the bytes of a line, "16: 0a4d 0002 0800", to data. The line
// must start at the end of data and hold 16 bytes, or all that remain up to size.
// Otherwise it returns false.
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

// digits maps a lower-case hex digit to its value and any other byte to 255.
var digits = func() (all [256]byte) {
	for c := range all {
		all[c] = 255
	}
	for value, c := range "0123456789abcdef" {
		all[c] = byte(value)
	}
	return all
}()
