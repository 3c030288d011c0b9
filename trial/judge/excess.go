package judge

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// TCPEcho is Program for an echo service over TCP (RFC 862). More than size bytes of data
// from the agent in one connection are wrong too: the peer's program may have ended before
// the surplus came.
func TCPEcho(size int) func([]Request, []session.Event, time.Duration) []score.Exchange {
	return func(requests []Request, events []session.Event, deadline time.Duration) []score.Exchange {
		limited := slices.Clone(requests)
		for i := range limited {
			limited[i].most = size
		}
		return Program(limited, events, deadline)
	}
}

// judgeExcess finds data beyond the most that the agent may send in a connection.
func (c *programCase) judgeExcess(f *findings) {
	const syn, rst = 0x02, 0x04
	var first uint32 // sequence number of the first byte
	var ports []byte // of the connection; nil before its SYN ACK
	for _, w := range c.written {
		if c.most == 0 || w.protocol != protocolTCP || w.fragment || len(w.body) < 20 || w.body[13]&rst != 0 {
			continue
		}
		seq := binary.BigEndian.Uint32(w.body[4:])
		if w.body[13]&syn != 0 {
			first, ports = seq+1, w.body[:4]
			continue
		}
		// A segment that begins after a gap is not data for the program.
		at, size := int(int32(seq-first)), len(w.body)-int(w.body[12]>>4)*4
		if bytes.Equal(ports, w.body[:4]) && at >= 0 && at <= c.most && at+size > c.most {
			f.add(score.FaultPayload, "#%d continues the data to %d bytes, should be %d", w.Number, at+size, c.most)
			return
		}
	}
}
