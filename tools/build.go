package tools

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tun-mcp/tun-mcp/packet"
)

// each returns the packets that p describes: p itself, or one packet for each
// number in reply_to_each. The error says what is wrong with the lists.
func (p packetArguments) each() ([]packetArguments, error) {
	if p.ReplyToEach == nil {
		if len(p.PatchEach) > 0 {
			return nil, errors.New("patch_each needs reply_to_each: for a single packet use patch")
		}
		return []packetArguments{p}, nil
	}
	for name, given := range map[string]bool{"hex": p.Hex != nil, "copy": p.Copy != nil, "reply_to": p.ReplyTo != nil} {
		if given {
			return nil, fmt.Errorf("reply_to_each and %s are both given: give only one, the packet starts from it", name)
		}
	}
	numbers := p.ReplyToEach
	for key, values := range p.PatchEach {
		if len(values) != len(numbers) {
			return nil, fmt.Errorf("patch_each has %d values at %s, but reply_to_each has %d numbers: give one value for each number", len(values), offsetKey(key), len(numbers))
		}
		if _, twice := p.Patch[key]; twice {
			return nil, fmt.Errorf("patch and patch_each both have the offset %s: give it in one of them", offsetKey(key))
		}
	}
	all := make([]packetArguments, len(numbers))
	seen := make(map[int]bool)
	for i, number := range numbers {
		if seen[number] {
			return nil, fmt.Errorf("reply_to_each has #%d twice: give each number once", number)
		}
		seen[number] = true
		one := p
		one.ReplyToEach, one.PatchEach, one.ReplyTo = nil, nil, &numbers[i]
		if len(p.PatchEach) > 0 {
			one.own = make(map[string]string, len(p.PatchEach))
			for key, values := range p.PatchEach {
				one.own[key] = values[i]
			}
		}
		all[i] = one
	}
	return all, nil
}

// checkCopies returns an error if a value in patch copies bytes beyond the end
// of the packet. If there is no packet to start from, build reports that.
func (h *Host) checkCopies(p packetArguments) error {
	size := -1
	for _, patch := range []map[string]string{p.Patch, p.own} {
		for key, value := range patch {
			if !strings.Contains(value, "@") {
				continue
			}
			if size < 0 {
				start, err := h.start(p)
				if err != nil {
					return nil
				}
				size = len(start)
			}
			if err := packet.CheckCopies(value, size); err != nil {
				return fmt.Errorf("patch at %s%s: %w", offsetKey(key), p.about(), err)
			}
		}
	}
	return nil
}

// about names the packet that p answers or copies, or returns "".
func (p packetArguments) about() string {
	switch {
	case p.ReplyTo != nil:
		return fmt.Sprintf(" (reply to #%d)", *p.ReplyTo)
	case p.Copy != nil:
		return fmt.Sprintf(" (copy of #%d)", *p.Copy)
	}
	return ""
}

// build makes the bytes that p describes. It takes the start and applies cut,
// patch, prepend and append, in this order.
func (h *Host) build(p packetArguments, assist Assist) ([]byte, error) {
	start, err := h.start(p)
	if err != nil {
		return nil, err
	}
	data := start
	if p.Cut != nil {
		if *p.Cut > len(data) {
			return data, fmt.Errorf("cut is %d, but the packet has %d bytes: give at most %d, or leave cut out", *p.Cut, len(data), len(data))
		}
		data = data[:*p.Cut:*p.Cut]
	}
	if len(p.Patch)+len(p.own) > 0 {
		if data, err = packet.Patch(data, start, p.Patch, p.own); err != nil {
			return nil, err
		}
	}
	if p.Prepend != "" {
		front, err := packet.ParseHex(p.Prepend)
		if err != nil {
			return nil, fmt.Errorf("prepend: %w%s", err, onlyPatchCopies(p.Prepend))
		}
		data = append(front, data...)
	}
	if p.Append != "" {
		more, err := packet.ParseHex(p.Append)
		if err != nil {
			return nil, fmt.Errorf("append: %w%s", err, onlyPatchCopies(p.Append))
		}
		data = append(data[:len(data):len(data)], more...)
	}
	if p.AppendText != "" {
		if assist == AssistNone {
			return nil, errors.New("append_text needs assist check or fix; with none, use append with the text in hex")
		}
		data = append(data[:len(data):len(data)], p.AppendText...)
	}
	return data, nil
}

// start returns the bytes that p starts from. The caller must not change them.
func (h *Host) start(p packetArguments) ([]byte, error) {
	var number int
	switch {
	case p.Hex != nil && p.Copy != nil:
		return nil, errors.New("hex and copy are both given: give only one, the packet starts from it")
	case p.Hex != nil:
		data, err := packet.ParseHex(*p.Hex)
		if err != nil {
			return nil, fmt.Errorf("%w%s", err, onlyPatchCopies(*p.Hex))
		}
		return data, nil
	case p.Copy != nil:
		number = *p.Copy
	case p.ReplyTo != nil:
		number = *p.ReplyTo
	default:
		return nil, errors.New("nothing to start from: give hex (all the bytes), copy (the number of a packet) or reply_to (the number of the packet to answer)")
	}
	recorded, err := h.Session.Packet(number)
	if err != nil {
		return nil, err
	}
	return recorded.Data, nil
}

// onlyPatchCopies returns a hint for an error about hex if it contains a copy,
// and "" otherwise.
func onlyPatchCopies(hex string) string {
	if strings.Contains(hex, "@") {
		return "; @OFFSET+LENGTH works only in patch and patch_each"
	}
	return ""
}
