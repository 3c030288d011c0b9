package tools

import (
	"errors"
	"fmt"

	"github.com/tun-mcp/tun-mcp/packet"
)

// about names a packet of write_packet by what it answers or copies.
func (p packetArguments) about() string {
	switch {
	case p.ReplyTo != nil:
		return fmt.Sprintf(" (reply to #%d)", *p.ReplyTo)
	case p.Copy != nil:
		return fmt.Sprintf(" (copy of #%d)", *p.Copy)
	}
	return ""
}

// build makes the bytes that p describes: a start, then cut, patch, prepend, append.
func (h *Host) build(p packetArguments, assist Assist) ([]byte, error) {
	data, err := h.start(p)
	if err != nil {
		return nil, err
	}
	if p.Cut != nil {
		if *p.Cut > len(data) {
			return data, fmt.Errorf("cut is %d, the packet has %d bytes: give at most that, or leave cut out", *p.Cut, len(data))
		}
		data = data[:*p.Cut:*p.Cut]
	}
	if len(p.Patch) > 0 {
		if data, err = packet.Patch(data, p.Patch); err != nil {
			return nil, err
		}
	}
	if p.Prepend != "" {
		front, err := packet.ParseHex(p.Prepend)
		if err != nil {
			return nil, fmt.Errorf("prepend: %w", err)
		}
		data = append(front, data...)
	}
	if p.Append != "" {
		more, err := packet.ParseHex(p.Append)
		if err != nil {
			return nil, fmt.Errorf("append: %w", err)
		}
		data = append(data[:len(data):len(data)], more...)
	}
	if p.AppendText != "" {
		if assist == AssistNone {
			return nil, errors.New("append_text is not to be had with assist none: spell the text in hex with append")
		}
		data = append(data[:len(data):len(data)], p.AppendText...)
	}
	return data, nil
}

// start returns the bytes that p starts from. They must not be written to.
func (h *Host) start(p packetArguments) ([]byte, error) {
	var number int
	switch {
	case p.Hex != nil && p.Copy != nil:
		return nil, errors.New("hex and copy are both given: a packet starts from one of them")
	case p.Hex != nil:
		return packet.ParseHex(*p.Hex)
	case p.Copy != nil:
		number = *p.Copy
	case p.ReplyTo != nil:
		number = *p.ReplyTo
	default:
		return nil, errors.New("nothing to start from: give hex (all the bytes), copy (the number of a packet) or reply_to (the number of the packet answered)")
	}
	recorded, err := h.Session.Packet(number)
	if err != nil {
		return nil, err
	}
	return recorded.Data, nil
}
