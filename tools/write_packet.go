package tools

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// writeArguments are the arguments of write_packet.
type writeArguments struct {
	Packets  []packetArguments `json:"packets" min:"1" max:"64" doc:"up to 64 packets in all. Each starts from hex, or copy, or else the packet named by reply_to; then cut, patch, prepend, append"`
	Assist   string            `json:"assist" enum:"none,check,fix"`
	ThenRead *readArguments    `json:"then_read" doc:"after writing, read on (arguments of read_packet; {} for its defaults)"`
}

// packetArguments describe one packet to write, or several with ReplyToEach.
type packetArguments struct {
	Hex         *string             `json:"hex" doc:"all the bytes"`
	Copy        *int                `json:"copy" min:"1" doc:"number of a packet, either direction, to start from"`
	ReplyTo     *int                `json:"reply_to" min:"1" doc:"number of the packet this one answers; without hex and copy, start from its bytes"`
	ReplyToEach []int               `json:"reply_to_each" min:"1" max:"64" doc:"in place of reply_to: one packet for each number"`
	Cut         *int                `json:"cut" min:"1" doc:"keep only this many bytes (before patch)"`
	Patch       map[string]string   `json:"patch" doc:"bytes to replace, by decimal offset: hex, or @16+4 for the 4 bytes at 16 of the packet started from"`
	PatchEach   map[string][]string `json:"patch_each" doc:"like patch, one value for each number of reply_to_each, in order"`
	Prepend     string              `json:"prepend" doc:"hex put in front (after patch), as a header around a quoted packet"`
	Append      string              `json:"append" doc:"hex added at the end"`
	AppendText  string              `json:"append_text" doc:"text added at the end"`

	own map[string]string // a packet of ReplyToEach: its values of PatchEach; Patch belongs to all packets
}

// maxPackets is the most packets that one call may write.
const maxPackets = 64

func (h *Host) writePacket() Tool {
	var hidden []string
	if h.Assist == AssistNone {
		hidden = []string{"append_text"}
	}
	t := newTool("write_packet", "Write packets",
		"Send IP packets to the peer, in order, and with then_read wait for what comes next: one call a turn. "+
			"Answer everything that came, in one call. A packet is given as hex, or made from one that crossed the link (reply_to, copy) by patches; reply_to_each answers many similar ones. "+
			"Refused packets are listed with the reason. The others are still sent, and then_read is skipped. Similar packets share a line.",
		`{"packets": [{"reply_to_each": [2, 3], "patch": {"12": "@16+4 @12+4", "20": "00"}, "patch_each": {"22": ["fc38", "5676"]}}], "then_read": {}}`,
		Sends, h.write, hidden...)
	t.Swift = true
	// List only the levels that this server allows.
	level, _ := under(h.Assist, "")
	assist := t.Schema["properties"].(map[string]any)["assist"].(map[string]any)
	assist["enum"], assist["default"], assist["description"] = upTo(h.Assist), string(level), levelsInWords(h.Assist)
	t.Schema["required"] = []string{"packets"}
	// The schema of read_packet already describes these arguments.
	then := t.Schema["properties"].(map[string]any)["then_read"].(map[string]any)
	for _, property := range then["properties"].(map[string]any) {
		delete(property.(map[string]any), "description")
	}
	return t
}

func (h *Host) write(ctx context.Context, a writeArguments) (string, error) {
	assist, err := under(h.Assist, Assist(a.Assist))
	if err != nil {
		return "", err
	}
	if len(a.Packets) == 0 {
		return "", errors.New(`packets is missing; accepted: an array of 1 to 64 objects. Example: {"packets": [{"hex": "4500..."}]}`)
	}
	packets, err := h.expand(a.Packets)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	var lines results
	sent := 0
	var ended error   // why the link has ended
	var tooFast error // set once a packet is over the rate limit; later ones are held back to keep the order
	for i, p := range packets {
		written, err := h.writeOne(ctx, p, assist, tooFast)
		if err != nil {
			if tooFast != nil && err == tooFast {
				err = errAlsoTooFast
			} else if limit, ok := errors.AsType[*session.RateError](err); ok {
				tooFast = limit
			}
			if errors.Is(err, os.ErrClosed) {
				ended = err
			}
			lines.flush(&out)
			fmt.Fprintf(&out, "packet %d%s: %v\n", i+1, p.about(), err)
			continue
		}
		sent++
		lines.add(&out, h.resultOf(written, assist))
	}
	lines.flush(&out)
	if refused := len(packets) - sent; refused > 0 {
		fmt.Fprintf(&out, "%d of %d packets not sent", refused, len(packets))
		if a.ThenRead != nil {
			out.WriteString(", so then_read was skipped")
		}
		if ended != nil {
			out.WriteString(". " + linkGone(ended))
		} else {
			out.WriteString(": correct and write again")
		}
		if sent == 0 {
			return "", errors.New(out.String())
		}
		return out.String(), nil
	}
	if a.ThenRead != nil {
		text, err := h.read(ctx, *a.ThenRead)
		if err != nil { // not an error of the call: the agent must learn that the packets were sent
			text = err.Error()
		}
		out.WriteString(text)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// expand returns the packets that the elements describe. An error refuses the
// whole call, before anything is sent.
func (h *Host) expand(elements []packetArguments) (all []packetArguments, err error) {
	for i, element := range elements {
		each, err := element.each()
		for _, p := range each {
			if err = h.checkCopies(p); err != nil {
				break
			}
		}
		if err != nil {
			return nil, fmt.Errorf("packets[%d]: %w. Nothing was sent", i, err)
		}
		all = append(all, each...)
	}
	if len(all) > maxPackets {
		return nil, fmt.Errorf("the call has %d packets; accepted: up to %d, over all elements. Nothing was sent", len(all), maxPackets)
	}
	return all, nil
}

// errAlsoTooFast is the short error for a packet after one over the rate limit.
var errAlsoTooFast = errors.New("not sent either, over the rate limit")

// writeOne builds, checks and writes one packet. If held is not nil, it checks the
// packet but does not write it, and returns held.
func (h *Host) writeOne(ctx context.Context, p packetArguments, assist Assist, held error) (*session.Packet, error) {
	if err := h.Session.Err(); err != nil { // comes first: correcting the packet would not help
		return nil, fmt.Errorf("writing to the link: %w", err)
	}
	data, err := h.build(p, assist)
	if err == nil {
		err = h.judge(&data, assist)
	}
	replyTo := 0
	if p.ReplyTo != nil {
		replyTo = *p.ReplyTo
		if err == nil {
			err = h.Session.CheckReplyTo(replyTo)
		}
	}
	if err == nil {
		err = held
	}
	if err != nil {
		h.Session.Refused(data, replyTo, err)
		return nil, err
	}
	written, err := h.Session.Write(session.WithAssist(ctx, string(assist)), data, replyTo)
	if err != nil {
		if _, ok := errors.AsType[*session.RateError](err); ok {
			h.Session.Refused(data, replyTo, err)
		}
		return nil, err
	}
	return written, nil
}

// judge checks a built packet against the limits of the link, at every level, and
// then applies the assist level: it checks data or fixes it in place.
func (h *Host) judge(data *[]byte, assist Assist) error {
	if err := h.Session.CheckLink(*data); err != nil {
		return err
	}
	switch assist {
	case AssistFix:
		fixed, err := packet.Fix(*data)
		if err != nil {
			return err
		}
		*data = fixed
	case AssistCheck:
		if faults := packet.Check(*data); len(faults) > 0 {
			texts := make([]string, len(faults))
			for i, f := range faults {
				texts[i] = f.String()
			}
			return errors.New(strings.Join(texts, "; "))
		}
	}
	return nil
}
