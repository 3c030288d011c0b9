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

// An agent that turns every fragment around is right, except for the duplicate
// fragment, since a host reassembles the packet once.
func TestReassemblyNeedsOneAnswer(t *testing.T) {
	for _, test := range []struct {
		name  string
		twice bool
		wrong string
	}{
		{"each fragment once", false, ""},
		{"duplicates too", true, "one fragment twice"},
	} {
		seen := make(map[string]bool)
		f := testPeer(t, time.Second, func(s *session.Session, p session.Delivered) {
			if p.Data[6]&0x3f == 0 && p.Data[7] == 0 {
				t.Errorf("#%d of %d bytes is not a fragment", p.Number, len(p.Data))
			}
			if key := string(p.Data[4:8]); !test.twice && seen[key] {
				return
			} else {
				seen[key] = true
			}
			b := append([]byte(nil), p.Data...)
			copy(b[12:], p.Data[16:20])
			copy(b[16:], p.Data[12:16])
			if binary.BigEndian.Uint16(b[6:])&0x1fff == 0 {
				sum := uint32(binary.BigEndian.Uint16(b[22:])) + 0x0800 // RFC 1624
				b[20] = 0
				binary.BigEndian.PutUint16(b[22:], uint16(sum+sum>>16))
			}
			fixed, err := packet.Fix(b)
			if err != nil {
				t.Error(err)
			}
			_, _ = s.Write(t.Context(), fixed, p.Number) // fails if the session has ended
		})
		requests, err := reassembly().Run(trialtest.Soon(t), f)
		if err != nil || len(requests) != 4 {
			t.Fatalf("%d requests, %v", len(requests), err)
		}
		for _, x := range judge.Echo(requests, f.Events.Since(0), f.Deadline()) {
			if right := x.Outcome == score.Right; right != (x.Name != test.wrong) {
				t.Errorf("%s, %s: %s (%s)", test.name, x.Name, x.Outcome, x.Detail)
			}
		}
	}
}
