package scenario

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
)

// An answer needs the right checksum. No checksum is wrong too, although UDP over IPv4
// allows it.
func TestChecksumMustBeRight(t *testing.T) {
	for _, test := range []struct {
		name    string
		spoil   func(udp []byte)
		outcome string
	}{
		{"right", func([]byte) {}, score.Right},
		{"none", func(udp []byte) { udp[6], udp[7] = 0, 0 }, score.Wrong},
		{"wrong", func(udp []byte) { udp[7] ^= 1 }, score.Wrong},
		{"other data", func(udp []byte) { // two words swapped: the sum stays the same
			udp[8], udp[9], udp[10], udp[11] = udp[10], udp[11], udp[8], udp[9]
		}, score.Wrong},
	} {
		f := testPeer(t, 5*time.Second, func(s *session.Session, p session.Delivered) {
			if p.Data[9] != 17 { // an ICMP error from the peer, which may have closed the socket by now
				return
			}
			if binary.BigEndian.Uint16(p.Data[26:]) != 0 || binary.BigEndian.Uint16(p.Data[22:]) != 7 {
				t.Errorf("#%d has a checksum, or is not for port 7", p.Number)
			}
			b := append([]byte(nil), p.Data...)
			copy(b[12:], p.Data[16:20])
			copy(b[16:], p.Data[12:16])
			copy(b[20:], p.Data[22:24])
			copy(b[22:], p.Data[20:22])
			fixed, err := packet.Fix(b)
			if err != nil {
				t.Error(err)
				return
			}
			test.spoil(fixed[20:])
			_, _ = s.Write(t.Context(), fixed, p.Number) // fails if the session has ended
		})
		f.Settings.Count = 7
		requests, err := checksum().Run(trialtest.Soon(t), f)
		if err != nil || len(requests) != 7 {
			t.Fatalf("%d requests, %v", len(requests), err)
		}
		exchanges := judge.Echo(requests, f.Events.Since(0), f.Deadline())
		for i, x := range exchanges {
			if want := wordCounts(1500)[i]; x.Outcome != test.outcome || x.Words != want {
				t.Errorf("%s, %s: %s (%s), %d words, want %d", test.name, x.Name, x.Outcome, x.Detail, x.Words, want)
			}
		}
		for _, r := range score.SumsOf(exchanges) {
			if right := r.Right == 1; right != (test.outcome == score.Right || test.name == "other data") || r.Answered != 1 {
				t.Errorf("%s: %+v", test.name, r)
			}
		}
	}
}
