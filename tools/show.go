package tools

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// maxWords is the largest number of 16-bit words in which a packet may differ
// from an earlier one and still be shown as a difference.
const maxWords = 8

// maxShown is how many packets of a result serve as a base for differences.
const maxShown = 8

// A shownPacket is a packet whose bytes the current result already shows.
type shownPacket struct {
	session.Delivered
	summary string
	bytes   int // how many bytes are shown
}

// showAll writes packets as the agent sees them, with up to most bytes of each.
// With nil a packet shows as many bytes as the agent needs.
func (h *Host) showAll(out *strings.Builder, packets []session.Delivered, most *int) {
	var before []shownPacket
	for i := 0; i < len(packets); {
		p := packets[i]
		if h.Assist != AssistNone && p.Repeats != 0 {
			n := 1
			for i+n < len(packets) && repeatsAlike(p, packets[i+n]) {
				n++
			}
			showRepeats(out, packets[i:i+n])
			i += n
			continue
		}
		i++
		if h.Assist == AssistNone {
			limit := bytesShown
			if most != nil {
				limit = *most
			}
			begin(out, p)
			out.WriteString("\n")
			out.WriteString(packet.Words(p.Data, limit))
			continue
		}
		s := shownPacket{p, h.summary(p.Data), h.needs(p.Data)}
		if most != nil {
			s.bytes = min(*most, len(p.Data))
		}
		if s.bytes > 0 && s.resembles(out, before) {
			continue
		}
		begin(out, p)
		out.WriteString(": ")
		out.WriteString(s.summary)
		out.WriteString("\n")
		if s.bytes > 0 {
			out.WriteString(packet.Words(p.Data, s.bytes))
			if len(before) < maxShown {
				before = append(before, s)
			}
		}
	}
}

// begin writes the start of a packet's line: "#7 84 bytes, waited 0.40 s".
func begin(out *strings.Builder, p session.Delivered) {
	// Written without fmt, since this runs for every packet.
	out.WriteString("#")
	out.WriteString(strconv.Itoa(p.Number))
	out.WriteString(" ")
	out.WriteString(strconv.Itoa(len(p.Data)))
	out.WriteString(" bytes, waited ")
	out.WriteString(seconds(p.Waited))
}

// resembles looks in before for a packet of the same length and flow with few
// differences. If there is one, it writes only the differences and returns true:
//
//	#3 waited 8.5 s: seq 3, checksums ok; as #2 but 4: ade3 10: 7829 22: 4e76 26: 0003
//
// The summary starts at the first word that differs.
func (s shownPacket) resembles(out *strings.Builder, before []shownPacket) bool {
	for _, other := range before {
		if len(other.Data) != len(s.Data) || other.bytes != s.bytes {
			continue
		}
		rest, ok := summaryBehind(s.summary, other.summary)
		if !ok {
			continue
		}
		differences, ok := packet.Differences(s.Data, other.Data, s.bytes, min(maxWords, s.bytes/4))
		if !ok {
			continue
		}
		out.WriteString("#")
		out.WriteString(strconv.Itoa(s.Number))
		out.WriteString(" waited ")
		out.WriteString(seconds(s.Waited))
		out.WriteString(": ")
		out.WriteString(rest)
		out.WriteString("as #")
		out.WriteString(strconv.Itoa(other.Number))
		if differences != "" {
			out.WriteString(" but ")
			out.WriteString(differences)
		}
		out.WriteString("\n")
		return true
	}
	return false
}

// summaryBehind returns the part of summary that differs from other, from the
// word before the first difference on, which names it, and with "; " at the end:
// "seq 3, checksums ok; ". It returns "" if both are equal. ok is false if they
// differ in addresses or protocol.
func summaryBehind(summary, other string) (rest string, ok bool) {
	if summary == other {
		return "", true
	}
	words, others := strings.Split(summary, " "), strings.Split(other, " ")
	at := 0
	for at < len(words) && at < len(others) && words[at] == others[at] {
		at++
	}
	if at < wordsOfFlow || at == len(words) {
		return "", false
	}
	return strings.Join(words[at-1:], " ") + "; ", true
}

// summary returns a packet's summary. With assist fix, a TCP segment also shows
// the acknowledgment number that covers it.
func (h *Host) summary(b []byte) string {
	text := packet.Summary(b)
	if h.Assist == AssistFix {
		if next, ok := packet.NextSeq(b); ok {
			text += fmt.Sprintf(", next 0x%08x", next)
		}
	}
	return text
}

// needs returns how many bytes of a packet the agent needs to see. For a packet
// to another host that is 0.
func (h *Host) needs(b []byte) int {
	_, dst, ok := packet.Addresses(b)
	// IPv6 address resolution uses multicast (RFC 4861, section 7.2).
	if !ok || len(h.Own) > 0 && !slices.Contains(h.Own, dst) && !(dst.Is6() && dst.IsMulticast()) {
		return 0
	}
	return packet.Glance(b)
}

// repeatsAlike reports whether two retransmissions can share a line.
func repeatsAlike(p, q session.Delivered) bool {
	return q.Repeats == p.Repeats && q.Answer == p.Answer && (q.Answer > q.Number) == (p.Answer > p.Number)
}

// showRepeats writes one line for TCP segments that all repeat the same segment.
func showRepeats(out *strings.Builder, packets []session.Delivered) {
	p := packets[0]
	if len(packets) == 1 {
		fmt.Fprintf(out, "#%d %d bytes: retransmission of #%d", p.Number, len(p.Data), p.Repeats)
	} else {
		numbers := make([]int, len(packets))
		for i, q := range packets {
			numbers[i] = q.Number
		}
		fmt.Fprintf(out, "%s: %d times #%d", ranges("#", numbers), len(packets), p.Repeats)
	}
	switch {
	case p.Answer > p.Number:
		fmt.Fprintf(out, ", sent before your answer #%d", p.Answer)
	case p.Answer > 0:
		fmt.Fprintf(out, ", sent after your answer #%d, which may be lost: copy it to send it again", p.Answer)
	}
	out.WriteByte('\n')
}

// wordsOfFlow is how many words at the start of a summary name the flow: "IPv4
// 10.77.0.1:53204 > 10.77.0.2:80 TCP".
const wordsOfFlow = 5
