package agent

import (
	"fmt"
	"strings"
)

// writeout is the result of one write_packet without then_read.
type writeout struct {
	written []writtenPackets // in the order of the call
	refused []string         // the reason for each packet that was not sent
}

// writtenPackets are sent packets that share a line.
type writtenPackets struct {
	numbers []int
	size    int    // of each, in bytes
	about   string // summary and response time; empty with assist none
}

// count returns the number of packets written.
func (w writeout) count() (n int) {
	for _, p := range w.written {
		n += len(p.numbers)
	}
	return n
}

// parseWriteout parses the result of a write_packet of count packets. It also
// parses the error text, which means that none was sent.
//
//	#8 84 bytes written: IPv4 10.77.0.2 > …, 0.0004 s after #7
//	#9-#12: 4 packets written, 84 bytes each: ICMP echo replies …, 0.4-0.2 s after #3-#6
//	packet 2: ICMP checksum is 0x3eb6, should be 0x3eb7
//	1 of 2 packets not sent: correct and write again
func parseWriteout(text string, count int) (writeout, error) {
	var w writeout
	s := scanner{rest: text}
	for seen := 0; seen < count; seen = w.count() + len(w.refused) {
		if !s.line() {
			return w, s.failed(fmt.Sprintf("want a line for each of %d packets", count))
		}
		if strings.HasPrefix(s.text, "packet ") {
			if !strings.HasPrefix(s.text, fmt.Sprintf("packet %d", seen+1)) || !plain(s.text) {
				return w, s.failed("want the fault of the next packet")
			}
			w.refused = append(w.refused, s.text)
			continue
		}
		p, err := s.written()
		if err != nil {
			return w, err
		}
		w.written = append(w.written, p)
	}
	if w.count()+len(w.refused) > count {
		return w, s.failed("want no more packets than were written")
	}
	if len(w.refused) > 0 && !(s.line() && strings.HasPrefix(s.text, fmt.Sprintf("%d of %d packets not sent", len(w.refused), count))) {
		return w, s.failed("want the count of packets not sent")
	}
	if s.line() {
		return w, s.failed("want no more lines")
	}
	return w, nil
}

// written parses a line about one or more written packets.
func (s *scanner) written() (p writtenPackets, err error) {
	var rest string
	var ok bool
	if p.numbers, rest, ok = numberRanges(s.text); !ok {
		return p, s.failed("want “#8 84 bytes written” or “packet 1: ” and a fault")
	}
	if many, several := strings.CutPrefix(rest, ": "); several {
		var n int
		if n, rest, ok = number(many); ok {
			rest, ok = strings.CutPrefix(rest, " packets written, ")
		}
		if ok {
			p.size, rest, ok = number(rest)
		}
		if ok {
			rest, ok = strings.CutPrefix(rest, " bytes each")
		}
		if !ok || n != len(p.numbers) || n < 2 || p.size < 1 || p.size > longestPacket {
			return p, s.failed("want “: 4 packets written, 84 bytes each”")
		}
	} else {
		if _, p.size, rest, ok = numberAndSize(s.text); ok {
			rest, ok = strings.CutPrefix(rest, " written")
		}
		if !ok {
			return p, s.failed("want “#8 84 bytes written”")
		}
	}
	if rest != "" {
		if p.about, ok = strings.CutPrefix(rest, ": "); !ok || !plain(p.about) {
			return p, s.failed("want a colon and a summary in plain words")
		}
	}
	return p, nil
}
