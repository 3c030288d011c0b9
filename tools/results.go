package tools

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// A result describes a written packet to the agent.
type result struct {
	packet *session.Packet
	what   string // the summary and anything odd; empty with assist none
	kind   string // packets of the same kind share a line; empty means a line of its own
	echo   string // for an echo message: the summary up to the sequence number, in the plural
	seq    int    // the sequence number
	after  string // the rest of the summary
}

// resultOf describes a packet that was written at the level assist.
func (h *Host) resultOf(p *session.Packet, assist Assist) result {
	r := result{packet: p}
	if assist == AssistNone {
		r.kind = "bytes"
		return r
	}
	r.what = packet.Summary(p.Data)
	src, dst, ok := packet.Addresses(p.Data)
	foreign := ok && len(h.Own) > 0 && !slices.Contains(h.Own, src)
	if foreign {
		r.what += " (its source is not yours"
		if i := slices.IndexFunc(h.Own, func(own netip.Addr) bool { return own.Is4() == src.Is4() }); i >= 0 {
			r.what += ", " + h.Own[i].String()
		}
		r.what += ")"
	}
	if foreign || p.Repeats != 0 || p.ReplyTo == 0 {
		return r
	}
	if before, after, seq, ok := packet.EchoSummary(p.Data); ok && h.from(p.ReplyTo) == dst {
		r.echo, r.seq, r.after = before, seq, after
		r.kind = fmt.Sprint(src, dst, before, after)
	} else {
		r.kind = r.what
	}
	return r
}

// from returns the source address of packet #number, or the zero Addr if it is
// unknown.
func (h *Host) from(number int) netip.Addr {
	p, err := h.Session.Packet(number)
	if err != nil {
		return netip.Addr{}
	}
	src, _, _ := packet.Addresses(p.Data)
	return src
}

// results are the results of consecutive packets that share a line.
type results []result

// add appends r. If r needs a line of its own, it flushes the earlier ones first.
func (all *results) add(out *strings.Builder, r result) {
	if len(*all) > 0 {
		last := (*all)[len(*all)-1]
		if r.kind == "" || r.kind != last.kind || len(r.packet.Data) != len(last.packet.Data) {
			all.flush(out)
		}
	}
	*all = append(*all, r)
}

// flush writes the line of all, if there is one, and empties all.
func (all *results) flush(out *strings.Builder) {
	if len(*all) > 0 {
		out.WriteString(all.line() + "\n")
	}
	*all = (*all)[:0]
}

// line returns one line for all results, for instance
//
//	#8 84 bytes written: IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 7 seq 1, checksums ok, 0.4 s after #7
//	#59-#76: 18 packets written, 84 bytes each: ICMP echo replies id 7 seq 2-19, checksums ok, 9.0-0.3 s after #2-#19
func (all results) line() string {
	first := all[0]
	p := first.packet
	if len(all) == 1 {
		line := fmt.Sprintf("#%d %d bytes written", p.Number, len(p.Data))
		if first.what != "" {
			line += ": " + first.what
		}
		switch {
		case first.what == "": // assist none: only the number and the size
		case p.Repeats != 0:
			line += fmt.Sprintf(", retransmission of #%d", p.Repeats)
		case p.ReplyTo != 0:
			line += fmt.Sprintf(", %s after #%d", seconds(p.Response), p.ReplyTo)
		}
		return line
	}
	var numbers, answered, seqs []int
	slowest, fastest := p.Response, p.Response
	for _, r := range all {
		numbers, answered, seqs = append(numbers, r.packet.Number), append(answered, r.packet.ReplyTo), append(seqs, r.seq)
		slowest, fastest = max(slowest, r.packet.Response), min(fastest, r.packet.Response)
	}
	line := fmt.Sprintf("%s: %d packets written, %d bytes each", ranges("#", numbers), len(all), len(p.Data))
	switch {
	case first.what == "":
		return line
	case first.echo != "":
		line += ": " + first.echo + ranges("", seqs) + first.after
	default:
		line += ": " + first.what
	}
	return line + fmt.Sprintf(", %s after %s", span(slowest, fastest), ranges("#", answered))
}

// span returns "9.0-0.3 s", or "0.3 s" if both look the same.
func span(from, to time.Duration) string {
	a, b := seconds(from), seconds(to)
	if a == b {
		return a
	}
	return strings.TrimSuffix(a, " s") + "-" + b
}

// ranges lists numbers in the order given. A run of consecutive numbers becomes
// its first and last: "#2-#5, #9".
func ranges(mark string, numbers []int) string {
	var out []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		text := fmt.Sprintf("%s%d", mark, numbers[i])
		if j > i {
			text += fmt.Sprintf("-%s%d", mark, numbers[j])
		}
		out = append(out, text)
		i = j + 1
	}
	return strings.Join(out, ", ")
}
