package ladder

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// Drawing is a ladder of packets between two ends.
type Drawing struct {
	Peer, Agent string // addresses, empty if unknown
	Rungs       []Rung // packets only
	More        int    // number of later packets that are not drawn
	Other       int    // number of frames without an IP packet
}

// answersComment matches the comment of an answer in a recording.
var answersComment = regexp.MustCompile(`reply to #(\d+), ([\d.]+) s`)

// Read reads the drawing of a capture: at most most packets, starting with frame number first
// (from 1). Rungs have the numbers of their frames. In a recording of a session the comments
// tell which packet answers which. In other captures the packets' flows tell, and the host
// that sent the first packet is on the left. If reading fails, Read returns the error with
// the drawing of the packets before it.
func Read(capture *packet.CaptureReader, first, most int) (Drawing, error) {
	var d Drawing
	var start time.Time
	var left netip.Addr
	latest := make(map[packet.Flow]Rung) // the last packet of each flow that could be answered
	for {
		p, err := capture.Next()
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			if capture.Frame() < first {
				continue
			}
			if len(d.Rungs) == most {
				d.More++
				continue
			}
			src, dst, ok := packet.Addresses(p.Data)
			if start.IsZero() {
				start = p.Time
			}
			if ok && !left.IsValid() {
				if left = src; !p.FromPeer {
					left = dst
				}
				d.Peer, d.Agent = src.String(), dst.String()
				if !p.FromPeer {
					d.Peer, d.Agent = d.Agent, d.Peer
				}
			}
			r := Rung{Kind: KindPacket, Number: capture.Frame(), At: Milliseconds(p.Time.Sub(start)), Bytes: len(p.Data),
				Text: packet.Summary(p.Data), Faulty: len(packet.Check(p.Data)) > 0, ToAgent: p.FromPeer && (!ok || dst != left)}
			r.answers(p, latest)
			d.Rungs = append(d.Rungs, r)
			continue
		}
		d.Other = capture.Other()
		MarkSilences(d.Rungs)
		return d, err
	}
}

// answers sets what the packet answers, and the other facts in its comment.
func (r *Rung) answers(p packet.Captured, latest map[packet.Flow]Rung) {
	r.Handler = strings.Contains(p.Comment, "by the handler")
	r.Injected = strings.Contains(p.Comment, "injected, not sent")
	if _, why, ok := strings.Cut(p.Comment, "lost, the link did not take it: "); ok {
		r.Lost = "lost: " + why
	}
	if m := answersComment.FindStringSubmatch(p.Comment); m != nil {
		r.ReplyTo, _ = strconv.Atoi(m[1])
		seconds, _ := strconv.ParseFloat(m[2], 64)
		r.Response = 1000 * seconds
		return
	}
	if flow, ok := packet.AnswersTo(p.Data); ok {
		if asked, known := latest[flow]; known && asked.ToAgent != r.ToAgent {
			r.ReplyTo, r.Response = asked.Number, max(r.At-asked.At, 0)
		}
	}
	if flow, ok := packet.FlowOf(p.Data); ok {
		latest[flow] = *r
	}
}

// rest returns how many packets the drawing leaves out as text, or "" if none.
func (d Drawing) rest() string {
	switch {
	case d.More == 1:
		return "one more packet"
	case d.More > 1:
		return Count(d.More) + " more packets"
	}
	return ""
}

// label returns the text on a rung: its number and its summary, without the addresses of the
// ends.
func (d Drawing) label(r Rung) string {
	text := r.Text
	for _, ends := range []string{d.Peer + " > " + d.Agent, d.Agent + " > " + d.Peer} {
		for _, version := range []string{"IPv4 ", "IPv6 "} {
			text = strings.TrimPrefix(text, version+ends+" ")
		}
	}
	return fmt.Sprintf("#%d %s", r.Number, Line(strings.TrimSuffix(text, ", checksums ok"), longestText))
}
