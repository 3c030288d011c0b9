package judge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

const incomplete = "the agent answered, but the program never got a complete answer"

// answered returns the time from the arrival of the request to the agent's answer, for a
// program that never got a complete one. The answer is the first packet with data written
// after the deadline, or else the first packet. 0 means that nothing was written.
func (c *programCase) answered(j *journal, deadline time.Duration) time.Duration {
	if len(c.written) == 0 {
		return 0
	}
	arrived := firstArrival(c.Request, j)
	for _, w := range c.written[1:] {
		if after := w.Time.Sub(arrived); deadline > 0 && after > deadline && w.carries() {
			return after
		}
	}
	return c.written[0].Time.Sub(arrived)
}

// carries reports whether a packet has data for its receiver. A TCP segment may have
// none.
func (d *datagram) carries() bool {
	return d.protocol != protocolTCP || len(d.body) >= 20 && len(d.body) > int(d.body[12]>>4)*4
}

// amiss returns why a program never got its answer, if the agent wrote one in time and no
// packet is wrong by itself.
func (c *programCase) amiss() (kind, detail string) {
	talks := make(map[talk]bool)
	for _, data := range c.Packets {
		d := readDatagram(data)
		if t, ok := talkOf(&d); ok {
			talks[t] = true
		}
	}
	for i := range c.written {
		w := &c.written[i].datagram
		if _, isError := quotedIn(w); isError {
			continue
		}
		if t, ok := talkOf(w); ok && talks[t] {
			return c.notTaken()
		}
	}
	wrong, asked := c.written[0], readDatagram(c.Packets[0])
	_, isError := quotedIn(&wrong.datagram)
	_, hasTalk := talkOf(&wrong.datagram)
	switch {
	case isError:
		return score.FaultType, fmt.Sprintf("#%d is an ICMP error, type %d code %d", wrong.Number, wrong.body[0], wrong.body[1])
	case wrong.protocol != asked.protocol:
		return score.FaultType, fmt.Sprintf("the protocol of #%d is %d, should be %d", wrong.Number, wrong.protocol, asked.protocol)
	case hasTalk && (asked.protocol == protocolUDP || asked.protocol == protocolTCP) && len(asked.body) >= 4:
		return score.FaultAddresses, fmt.Sprintf("the ports of #%d are %d > %d, should be %d > %d", wrong.Number,
			binary.BigEndian.Uint16(wrong.body), binary.BigEndian.Uint16(wrong.body[2:]),
			binary.BigEndian.Uint16(asked.body[2:]), binary.BigEndian.Uint16(asked.body))
	}
	return c.notTaken()
}

// notTaken is amiss for an answer with the right protocol, addresses and ports.
func (c *programCase) notTaken() (kind, detail string) {
	if kind, detail = c.handshake(); kind != "" {
		return kind, detail
	}
	asked := readDatagram(c.Packets[0])
	for _, w := range c.written {
		if w.protocol == protocolUDP && asked.protocol == protocolUDP && len(w.body) >= 8 && len(asked.body) >= 8 && bytes.Equal(w.body[8:], asked.body[8:]) {
			return score.FaultLost, fmt.Sprintf("#%d echoes the request, but the program never got it: the peer's stack dropped it, or a link with --impair lost it", w.Number)
		}
	}
	return score.FaultPayload, incomplete
}

// handshake returns what is wrong with the answer to a SYN (RFC 9293 section 3.5), or ""
// if nothing is, or if the request is not a SYN.
func (c *programCase) handshake() (kind, detail string) {
	const syn, ack = 0x02, 0x10
	asked := readDatagram(c.Packets[0])
	if asked.protocol != protocolTCP || len(asked.body) < 20 || asked.body[13]&(syn|ack) != syn {
		return "", ""
	}
	kind, detail = score.FaultType, "the SYN got no SYN ACK"
	for _, w := range c.written {
		if w.protocol != protocolTCP || len(w.body) < 20 || w.body[13]&(syn|ack) != syn|ack {
			continue
		}
		given, want := binary.BigEndian.Uint32(w.body[8:]), binary.BigEndian.Uint32(asked.body[4:])+1
		if given == want {
			return "", ""
		}
		kind, detail = score.FaultIDSeq, fmt.Sprintf("the SYN ACK #%d acknowledges %d, should be %d", w.Number, given, want)
	}
	return kind, detail
}
