package agent

import (
	"fmt"
	"strings"
)

// writeout is what one write_packet said, without then_read.
type writeout struct {
	written []writtenPacket // in the order of the call
	refused []string        // what the server said of each packet that it did not send
}

// writtenPacket is one packet that the peer was given.
type writtenPacket struct {
	number int
	size   int    // bytes
	about  string // summary and response time; none with assist none
}

// parseWriteout reads the text of a write_packet result for count packets,
// also that of an error: then none was sent.
//
//	#8 84 bytes written: IPv4 10.77.0.2 > …, 0.0004 s after #7
//	packet 2: ICMP checksum is 0x3eb6, should be 0x3eb7
//	1 of 2 packets not sent: correct and write again
func parseWriteout(text string, count int) (writeout, error) {
	var w writeout
	s := scanner{rest: text}
	for range count {
		if !s.line() {
			return w, s.failed(fmt.Sprintf("want a line for each of %d packets", count))
		}
		if strings.HasPrefix(s.text, "packet ") {
			if !strings.HasPrefix(s.text, fmt.Sprintf("packet %d", len(w.written)+len(w.refused)+1)) || !plain(s.text) {
				return w, s.failed("want the fault of the next packet")
			}
			w.refused = append(w.refused, s.text)
			continue
		}
		var p writtenPacket
		var rest string
		var ok bool
		if p.number, p.size, rest, ok = numberAndSize(s.text); !ok {
			return w, s.failed("want “#8 84 bytes written” or “packet 1: ” and a fault")
		}
		if rest, ok = strings.CutPrefix(rest, " written"); !ok {
			return w, s.failed("want “ written”")
		}
		if rest != "" {
			if p.about, ok = strings.CutPrefix(rest, ": "); !ok || !plain(p.about) {
				return w, s.failed("want a colon and a summary in plain words")
			}
		}
		w.written = append(w.written, p)
	}
	if len(w.refused) > 0 && !(s.line() && strings.HasPrefix(s.text, fmt.Sprintf("%d of %d packets not sent", len(w.refused), count))) {
		return w, s.failed("want the count of packets not sent")
	}
	if s.line() {
		return w, s.failed("want no more lines")
	}
	return w, nil
}
