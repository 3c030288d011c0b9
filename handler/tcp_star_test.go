package handler

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// segmentTo returns a segment from 10.77.0.1, port 12345, to port 80 of 10.77.0.2.
func segmentTo(t *testing.T, seq, ack uint32, flags byte, window uint16, data string) []byte {
	t.Helper()
	b := append(unhex(t, "45000000 00004000 40060000 0a4d0001 0a4d0002 30390050 00000000 00000000 50000000 00000000"), data...)
	binary.BigEndian.PutUint32(b[24:], seq)
	binary.BigEndian.PutUint32(b[28:], ack)
	b[33] = flags
	binary.BigEndian.PutUint16(b[34:], window)
	b, err := packet.Fix(b)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// As long as the peer acknowledges the probes of its closed window, tcp.star keeps the
// connection (RFC 9293 section 3.8.6.1). Without any answer it gives up.
func TestTCPStarZeroWindow(t *testing.T) {
	const syn, ack, iss = 0x02, 0x10, 1000
	const get = "GET /bytes?n=100 HTTP/1.1\r\n\r\n"
	for _, answers := range []bool{true, false} {
		h := example(t, "tcp.star")
		send := func(b []byte) [][]byte {
			t.Helper()
			packets, _, err := h.Handle(b)
			if err != nil {
				t.Fatal(err)
			}
			return packets
		}
		theirs := binary.BigEndian.Uint32(send(segmentTo(t, iss, 0, syn, 0, ""))[0][24:]) + 1
		send(segmentTo(t, iss+1, theirs, ack, 0, get))
		closed := segmentTo(t, iss+1+uint32(len(get)), theirs, ack, 0, "")
		probes := 0
		for since := TickEvery; since < 10*time.Minute; since += TickEvery {
			packets, err := h.Tick(since)
			if err != nil {
				t.Fatal(err)
			}
			probes += len(packets)
			if len(packets) > 0 && answers {
				send(closed)
			}
		}
		packets := send(segmentTo(t, iss+1+uint32(len(get)), theirs, ack, 1000, ""))
		if opened := len(packets) > 0 && packets[0][33]&0x04 == 0 && len(packets[0]) > 100; opened != answers || probes < 9 {
			t.Errorf("the peer answers: %t; %d probes, then %x", answers, probes, packets)
		}
	}
}
