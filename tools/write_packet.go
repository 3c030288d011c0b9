package tools

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// writeArguments are those of write_packet.
type writeArguments struct {
	Packets  []packetArguments `json:"packets" min:"1" max:"64" doc:"each starts from hex, or copy, or else the packet named by reply_to; then cut, patch, prepend, append. Hex may have white space between bytes"`
	Assist   string            `json:"assist" enum:"none,check,fix"`
	ThenRead *readArguments    `json:"then_read" doc:"after writing, read on (arguments of read_packet; {} for its defaults). Absent: do not read"`
}

// packetArguments describe one packet to write.
type packetArguments struct {
	Hex        *string           `json:"hex" doc:"all the bytes"`
	Copy       *int              `json:"copy" min:"1" doc:"number of a packet, either direction, to start from"`
	ReplyTo    *int              `json:"reply_to" min:"1" doc:"number of the packet this one answers; without hex and copy, start from its bytes"`
	Cut        *int              `json:"cut" min:"1" doc:"keep only the first so many bytes (before patch)"`
	Patch      map[string]string `json:"patch" doc:"bytes replaced, decimal offset: hex"`
	Prepend    string            `json:"prepend" doc:"hex put in front (after patch): a header around what is quoted"`
	Append     string            `json:"append" doc:"hex added at the end"`
	AppendText string            `json:"append_text" doc:"text added at the end"`
}

func (h *Host) writePacket() Tool {
	var hidden []string
	if h.Assist == AssistNone {
		hidden = []string{"append_text"}
	}
	t := newTool("write_packet", "Write packets",
		"Send IP packets to the peer, in order, and with then_read wait for what comes next: one call a turn. "+
			"Answer several packets in one call. A packet is given as hex, or as a copy of one that crossed the link (reply_to, copy) with patches. "+
			"What is refused is named, with the reason; the rest of the call is sent, and then_read skipped.",
		`{"packets": [{"reply_to": 7, "patch": {"12": "0a4d00020a4d0001", "20": "00", "22": "3632"}}], "then_read": {"timeout_ms": 30000}}`,
		Sends, h.write, hidden...)
	// The schema promises only what this server gives.
	level, _ := under(h.Assist, "")
	assist := t.Schema["properties"].(map[string]any)["assist"].(map[string]any)
	assist["enum"], assist["default"], assist["description"] = upTo(h.Assist), string(level), levelsInWords(h.Assist)
	t.Schema["required"] = []string{"packets"}
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
	var out strings.Builder
	sent := 0
	var ended error   // the link has
	var tooFast error // the first packet over the rate limit holds up all behind it: their order stays
	for i, p := range a.Packets {
		line, err := h.writeOne(ctx, p, assist, tooFast)
		if err != nil {
			if tooFast != nil && err == tooFast {
				err = errAlsoTooFast
			} else if limit, ok := errors.AsType[*session.RateError](err); ok {
				tooFast = limit
			}
			if errors.Is(err, os.ErrClosed) {
				ended = err
			}
			fmt.Fprintf(&out, "packet %d%s: %v\n", i+1, p.about(), err)
			continue
		}
		sent++
		out.WriteString(line)
		out.WriteByte('\n')
	}
	if refused := len(a.Packets) - sent; refused > 0 {
		fmt.Fprintf(&out, "%d of %d packets not sent", refused, len(a.Packets))
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
		if err != nil { // what was written stays written: the agent must learn that
			text = err.Error()
		}
		out.WriteString(text)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// errAlsoTooFast is the short word for a packet behind one over the rate limit.
var errAlsoTooFast = errors.New("not sent either, over the rate limit")

// writeOne builds, checks and writes one packet, and says what was written.
// With held it is not written, for that reason.
func (h *Host) writeOne(ctx context.Context, p packetArguments, assist Assist, held error) (string, error) {
	if err := h.Session.Err(); err != nil { // whatever else is wrong, correcting it is no use
		return "", fmt.Errorf("writing to the link: %w", err)
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
		return "", err
	}
	written, err := h.Session.Write(session.WithAssist(ctx, string(assist)), data, replyTo)
	if err != nil {
		if _, ok := errors.AsType[*session.RateError](err); ok {
			h.Session.Refused(data, replyTo, err)
		}
		return "", err
	}
	line := fmt.Sprintf("#%d %d bytes written", written.Number, len(data))
	if assist == AssistNone {
		return line, nil
	}
	line += ": " + packet.Summary(data)
	if src, _, ok := packet.Addresses(data); ok && len(h.Own) > 0 && !slices.Contains(h.Own, src) {
		line += " (its source is not yours"
		if i := slices.IndexFunc(h.Own, func(own netip.Addr) bool { return own.Is4() == src.Is4() }); i >= 0 {
			line += ", " + h.Own[i].String()
		}
		line += ")"
	}
	switch {
	case written.Repeats != 0:
		line += fmt.Sprintf(", retransmission of #%d", written.Repeats)
	case written.ReplyTo != 0:
		line += fmt.Sprintf(", %s after #%d", seconds(written.Response), written.ReplyTo)
	}
	return line, nil
}

// judge applies the assist level to a packet that was built, and the bounds of
// the link, which hold at every level.
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
