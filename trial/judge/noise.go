package judge

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// ToAnswer is the prefix of the names of requests that are not noise.
const ToAnswer = "ping "

// Names of the kinds of noise that a host may answer.
const (
	UnknownProtocol = "unknown protocol"
	ToMulticast     = "destination is multicast"
	ToBroadcast     = "destination is broadcast"
)

// Noise judges pings among noise. It is Echo without the answers that a host may give to
// noise, one for each packet of noise.
func Noise(requests []Request, events []session.Event, deadline time.Duration) []score.Exchange {
	agent := agentOf(requests)
	left := make([]int, len(requests)) // how many more answers each may get
	for i, r := range requests {
		_, left[i] = onceEach(r)
	}
	judged := slices.DeleteFunc(slices.Clone(events), func(e session.Event) bool {
		if e.Event != session.EventPacket || e.Direction != session.Write {
			return false
		}
		b, err := hex.DecodeString(e.Hex)
		if err != nil {
			return false
		}
		for i, r := range requests {
			if left[i] > 0 && permitted(b, r, agent) {
				left[i]--
				return true
			}
		}
		return false
	})
	return Echo(requests, judged, deadline)
}

// agentOf returns the agent's address, from a request that it has to answer.
func agentOf(requests []Request) []byte {
	for _, r := range requests {
		if strings.HasPrefix(r.Name, ToAnswer) && len(r.Packets) > 0 {
			return r.Packets[0][16:20]
		}
	}
	return nil
}

// permitted reports whether a packet is an answer that a host may give to this noise, with
// nothing wrong in it.
func permitted(b []byte, r Request, agent []byte) bool {
	if len(b) < 28 || b[0] != 0x45 || b[9] != 1 || len(r.Packets) == 0 {
		return false
	}
	d, p := readDatagram(b), r.Packets[0]
	var f findings
	if judgePacket(&d, &f); len(f) > 0 || d.fragment || !bytes.Equal(b[16:20], p[12:16]) {
		return false
	}
	switch r.Name {
	case UnknownProtocol:
		// Protocol unreachable (RFC 1122 section 3.2.2.1) that quotes the header and at
		// least 8 more bytes.
		return binary.BigEndian.Uint16(b[20:]) == 0x0302 && bytes.Equal(b[12:16], p[16:20]) && len(b) >= 56 && bytes.HasPrefix(p, b[28:56])
	case ToMulticast, ToBroadcast:
		// An echo request to a group may be ignored, or answered from the host's own
		// address (RFC 1122 section 3.2.2.6).
		return binary.BigEndian.Uint16(b[20:]) == 0 && bytes.Equal(b[12:16], agent) && bytes.Equal(b[24:], p[24:])
	}
	return false
}
