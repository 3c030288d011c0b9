package scenario

import (
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// At any MTU the scenario's packets come in fragments, or it does not run.
func TestFragmentsAreFragments(t *testing.T) {
	for _, mtu := range []int{68, 1500, 9000, 40000, 65534} {
		f := testPeerOn(t, tun.Config{MTU: mtu}, time.Second, func(s *session.Session, p session.Delivered) {
			if p.Data[6]&0x3f == 0 && p.Data[7] == 0 {
				t.Errorf("MTU %d: a packet of %d bytes is not a fragment", mtu, len(p.Data))
			}
			if p.Data[6]&0x20 == 0 { // the last fragment: one answer is enough, right or wrong
				_, _ = s.Write(t.Context(), p.Data[:20], p.Number)
			}
		})
		f.Settings.Count = 1
		if why := fragments().Unfit(f.Status); why != "" {
			t.Errorf("MTU %d: %s", mtu, why)
		}
		if requests, err := fragments().Run(trialtest.Soon(t), f); err != nil || len(requests) != 1 {
			t.Errorf("MTU %d: %d requests, %v", mtu, len(requests), err)
		}
	}
	if fragments().Unfit(session.Status{MTU: 65535}) == "" {
		t.Error("the scenario runs at MTU 65535, which needs no fragments")
	}
}
