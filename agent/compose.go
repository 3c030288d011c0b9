package agent

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"
)

// writeArguments are the arguments of write_packet that this agent uses. The bytes
// are strings, not json.RawMessage, which encoding/json would scan again at every
// level of nesting.
type writeArguments struct {
	Assist  string         `json:"assist"`
	Packets []writeElement `json:"packets"`
}

// writeElement is one packet in hex, or several answers by reply_to_each.
type writeElement struct {
	Hex         string              `json:"hex,omitempty"`
	ReplyToEach []int               `json:"reply_to_each,omitempty"`
	Patch       map[string]string   `json:"patch,omitempty"`
	PatchEach   map[string][]string `json:"patch_each,omitempty"`
}

// newWriteArguments describes packets as briefly as the tool allows. Consecutive
// answers that change the same places of the packets that they answer become one
// element; all others are hex. known has the packets that were read, or is nil.
func newWriteArguments(assist string, packets [][]byte, known *memory) writeArguments {
	a := writeArguments{Assist: assist}
	var alike []answer
	flush := func() {
		if len(alike) > 1 {
			a.Packets = append(a.Packets, composed(alike))
		} else if len(alike) == 1 {
			a.Packets = append(a.Packets, writeElement{Hex: hex.EncodeToString(alike[0].data)})
		}
		alike = nil
	}
	for _, data := range packets {
		next := answer{data: data}
		if known != nil {
			next.to, next.start = known.start(data)
		}
		if next.start == nil {
			flush()
			a.Packets = append(a.Packets, writeElement{Hex: hex.EncodeToString(data)})
			continue
		}
		if len(alike) > 0 && !next.shares(alike) {
			flush()
		}
		alike = append(alike, next)
	}
	flush()
	return a
}

// An answer is a packet to write (data) and the packet of the same length that it
// answers (start).
type answer struct {
	to          int // the number of start
	start, data []byte
}

// shares reports whether an answer can share an element with others.
func (a answer) shares(others []answer) bool {
	return len(a.data) == len(others[0].data) && a.start[0] == others[0].start[0] &&
		!slices.ContainsFunc(others, func(o answer) bool { return o.to == a.to })
}

// composed combines answers into one element. Each run of bytes that any answer
// changes becomes a patch: one for all if the new bytes are the same, or one value
// for each.
func composed(all []answer) writeElement {
	e := writeElement{Patch: map[string]string{}, PatchEach: map[string][]string{}}
	for _, a := range all {
		e.ReplyToEach = append(e.ReplyToEach, a.to)
	}
	size := len(all[0].data)
	for at := 0; at < size; {
		end := at
		for end < size && slices.ContainsFunc(all, func(a answer) bool { return a.start[end] != a.data[end] }) {
			end++
		}
		if end == at {
			at++
			continue
		}
		key, first := strconv.Itoa(at), all[0].data[at:end]
		if slices.ContainsFunc(all, func(a answer) bool { return !bytes.Equal(a.data[at:end], first) }) {
			values := make([]string, len(all))
			for i, a := range all {
				values[i] = hex.EncodeToString(a.data[at:end])
			}
			e.PatchEach[key] = values
		} else {
			e.Patch[key] = hex.EncodeToString(first)
		}
		at = end
	}
	return e
}
