package trial

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Names of the noise that a host may answer, though it need not.
const (
	unknownProtocol = "unknown protocol"
	toMulticast     = "destination is multicast"
	toBroadcast     = "destination is broadcast"
)

// judgeNoise is Echo without the answers that a host is free to give.
func judgeNoise(requests []judge.Request, events []session.Event, deadline time.Duration) []score.Exchange {
	agent := agentOf(requests)
	judged := slices.DeleteFunc(slices.Clone(events), func(e session.Event) bool {
		if e.Event != session.EventPacket || e.Direction != session.Write {
			return false
		}
		b, err := hex.DecodeString(e.Hex)
		return err == nil && slices.ContainsFunc(requests, func(r judge.Request) bool { return permitted(b, r, agent) })
	})
	return judge.Echo(requests, judged, deadline)
}

// agentOf returns the agent's address: it stands in what it has to answer.
func agentOf(requests []judge.Request) []byte {
	for _, r := range requests {
		if strings.HasPrefix(r.Name, toAnswer) && len(r.Packets) > 0 {
			return r.Packets[0][16:20]
		}
	}
	return nil
}

// permitted tells whether a packet is an answer to noise that a host may give.
func permitted(b []byte, r judge.Request, agent []byte) bool {
	if len(b) < 28 || b[0] != 0x45 || b[9] != 1 || len(r.Packets) == 0 {
		return false
	}
	switch r.Name {
	case unknownProtocol:
		// Protocol unreachable (RFC 1122 section 3.2.2.1), which quotes the
		// header and at least 8 bytes more.
		return binary.BigEndian.Uint16(b[20:]) == 0x0302 && len(b) >= 56 && bytes.HasPrefix(r.Packets[0], b[28:56])
	case toMulticast, toBroadcast:
		// An echo request to a group may be discarded or answered, from the
		// host's own address (RFC 1122 section 3.2.2.6).
		p := r.Packets[0]
		return binary.BigEndian.Uint16(b[20:]) == 0 && bytes.Equal(b[12:16], agent) && bytes.Equal(b[16:20], p[12:16]) &&
			bytes.Equal(b[24:], p[24:]) && len(packet.Check(b)) == 0
	}
	return false
}
