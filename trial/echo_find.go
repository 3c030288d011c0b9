package trial

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/tun-mcp/tun-mcp/session"
)

// find looks up the packets of each request: an echo request by its sequence
// number and data, and the fragments that share its identification.
func (e *echoSender) find(events []session.Event) {
	taken := map[string]int{} // identification of a fragmented request: its index
	for _, event := range events {
		if event.Event != session.EventPacket || event.Direction != session.Read || event.Injected {
			continue
		}
		data, err := hex.DecodeString(event.Hex)
		if err != nil {
			continue
		}
		v := parseEcho(data)
		i := -1
		if v.request && v.seq >= 1 && v.seq <= len(e.requests) && e.carries(v.seq-1, v.data) {
			i = v.seq - 1
			if v.fragment != "" {
				taken[v.fragment] = i
			}
		} else if at, ok := taken[v.fragment]; ok && v.fragment != "" {
			i = at
		}
		if i >= 0 {
			e.requests[i].Numbers = append(e.requests[i].Numbers, event.Number)
			e.requests[i].Packets = append(e.requests[i].Packets, data)
		}
	}
}

// carries tells whether data begins the payload of request i.
func (e *echoSender) carries(i int, data []byte) bool {
	payload := e.payloads[i]
	return len(data) <= len(payload) && string(payload[:len(data)]) == string(data)
}

// echoView is what find needs to know of a packet.
type echoView struct {
	request  bool   // it begins an echo request
	seq      int    //
	data     []byte // echo data, as far as this packet has it
	fragment string // what fragments of one packet share, "" if it is none
}

// parseEcho looks for an echo request, or a fragment of one.
func parseEcho(b []byte) echoView {
	var v echoView
	var rest []byte
	first := true
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		header := int(b[0]&15) * 4
		if header < 20 || header > len(b) || b[9] != 1 {
			return v
		}
		if flags := binary.BigEndian.Uint16(b[6:]); flags&0x3fff != 0 {
			v.fragment, first = string(b[4:6])+string(b[12:20]), flags&0x1fff == 0
		}
		rest = b[header:]
	case len(b) >= 40 && b[0]>>4 == 6:
		next, at := b[6], 40
		if next == 44 && len(b) >= 48 {
			v.fragment, first = string(b[44:48])+string(b[8:40]), binary.BigEndian.Uint16(b[42:])&0xfff8 == 0
			next, at = b[40], 48
		}
		if next != 58 {
			return v
		}
		rest = b[at:]
	}
	if first && len(rest) >= 8 && (rest[0] == 8 || rest[0] == 128) {
		v.request, v.seq, v.data = true, int(binary.BigEndian.Uint16(rest[6:])), rest[8:]
	}
	return v
}
