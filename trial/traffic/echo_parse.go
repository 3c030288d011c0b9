package traffic

import (
	"bytes"
	"encoding/binary"
)

// echoView holds the fields of a packet that find needs.
type echoView struct {
	request  bool   // the packet begins an echo request
	seq      int    // sequence number, if request is set
	data     []byte // the part of the echo data in this packet
	at       int    // offset of that part in the request's data
	fragment string // addresses and identification that fragments of one packet share; "" if not a fragment
}

// parseEcho parses an echo request or a fragment that may belong to one. Other packets
// give the zero echoView.
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
			v.at = int(flags&0x1fff) * 8
		}
		rest = b[header:]
	case len(b) >= 40 && b[0]>>4 == 6:
		next, at := b[6], 40
		if next == 44 && len(b) >= 48 {
			v.at = int(binary.BigEndian.Uint16(b[42:]) & 0xfff8)
			v.fragment, first = string(b[44:48])+string(b[8:40]), v.at == 0
			next, at = b[40], 48
		}
		if next != 58 {
			return echoView{}
		}
		rest = b[at:]
	}
	switch {
	case first && len(rest) >= 8 && (rest[0] == 8 || rest[0] == 128):
		v.request, v.seq, v.data = true, int(binary.BigEndian.Uint16(rest[6:])), rest[8:]
	case !first:
		v.at, v.data = v.at-8, rest // the ICMP header comes before the data
	default:
		v.fragment = ""
	}
	return v
}

// isPart reports whether the packet's data is in the request, at the same offset.
func (v *echoView) isPart(r *echoRequest) bool {
	return !r.injected && v.at <= len(r.payload) && bytes.HasPrefix(r.payload[v.at:], v.data)
}
