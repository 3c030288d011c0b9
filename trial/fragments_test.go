package trial

import (
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
)

// Whatever the link's MTU is, the scenario's packets come in fragments, or it
// does not run.
func TestFragmentsAreFragments(t *testing.T) {
	for _, mtu := range []int{68, 1500, 9000, 40000, 65534} {
		f := testFieldOn(t, tun.Config{MTU: mtu}, time.Second/2, func(s *session.Session, p session.Delivered) {
			if p.Data[6]&0x3f == 0 && p.Data[7] == 0 {
				t.Errorf("MTU %d: a packet of %d bytes is no fragment", mtu, len(p.Data))
			}
			if p.Data[6]&0x20 == 0 { // the last one: enough of an answer to go on
				_, _ = s.Write(t.Context(), p.Data[:20], p.Number)
			}
		})
		if why := fragments().unfit(f.Status); why != "" {
			t.Errorf("MTU %d: %s", mtu, why)
		}
		if requests, err := fragments().Run(soon(t), f); err != nil || len(requests) != 3 {
			t.Errorf("MTU %d: %d requests, %v", mtu, len(requests), err)
		}
	}
	if fragments().unfit(session.Status{MTU: 65535}) == "" {
		t.Error("it runs where no packet is too long for the link")
	}
}
