package scenario

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
)

const dnsRecord = "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x4d\x00\x02"

// dnsReply returns a response to a query without EDNS: with a response code, and these
// records.
func dnsReply(query []byte, code byte, records ...string) []byte {
	b := append(bytes.Clone(query[:12]), query[12:28]...)
	b[2], b[3], b[7], b[11] = b[2]|0x84, code, byte(len(records)), 0
	for _, r := range records {
		b = append(b, r...)
	}
	return b
}

// The answer is judged by what it says. A server that does not know EDNS is asked again
// without it.
func TestDNS(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(query []byte) []byte
		want   string
	}{
		{"right", func(q []byte) []byte { return dnsReply(q, 0, dnsRecord) }, score.Right},
		{"capital letters", func(q []byte) []byte {
			return bytes.Replace(dnsReply(q, 0, dnsRecord), []byte("agent"), []byte("AGENT"), 1)
		}, score.Right},
		{"with a CNAME", func(q []byte) []byte {
			return dnsReply(q, 0, "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c", dnsRecord)
		}, score.Right},
		{"no EDNS", func(q []byte) []byte {
			if q[11] == 1 {
				return dnsReply(q, 1)
			}
			return dnsReply(q, 0, dnsRecord)
		}, score.Right},
		{"no EDNS, and no question in the error", func(q []byte) []byte {
			if q[11] == 1 {
				return append(bytes.Clone(q[:2]), 0x84, 1, 0, 0, 0, 0, 0, 0, 0, 0)
			}
			return dnsReply(q, 0, dnsRecord)
		}, score.Right},
		{"always a format error", func(q []byte) []byte { return dnsReply(q, 1) }, score.Wrong},
		{"no such name", func(q []byte) []byte { return dnsReply(q, 3) }, score.Wrong},
		{"no record", func(q []byte) []byte { return dnsReply(q, 0) }, score.Wrong},
		{"two records", func(q []byte) []byte { return dnsReply(q, 0, dnsRecord, dnsRecord) }, score.Wrong},
		{"another address", func(q []byte) []byte { b := dnsReply(q, 0, dnsRecord); b[len(b)-1]++; return b }, score.Wrong},
		{"a record that is cut off", func(q []byte) []byte { b := dnsReply(q, 0, dnsRecord); return b[:len(b)-1] }, score.Wrong},
	} {
		f := testPeer(t, 5*time.Second, func(s *session.Session, p session.Delivered) {
			b := append(append(bytes.Clone(p.Data[:20]), p.Data[22], p.Data[23], p.Data[20], p.Data[21], 0, 0, 0, 0), test.answer(p.Data[28:])...)
			copy(b[12:], p.Data[16:20])
			copy(b[16:], p.Data[12:16])
			binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
			binary.BigEndian.PutUint16(b[24:], uint16(len(b)-20))
			b, err := packet.Fix(b)
			if err != nil {
				t.Error(err)
			}
			_, _ = s.Write(t.Context(), b, p.Number) // fails if the session has ended
		})
		f.Settings.Count = 1
		requests, err := dnsLookup().Run(trialtest.Soon(t), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range judge.Program(requests, f.Events.Since(0), f.Deadline()) {
			if x.Outcome != test.want {
				t.Errorf("%s: %s (%s), want %s", test.name, x.Outcome, x.Detail, test.want)
			}
		}
	}
}
