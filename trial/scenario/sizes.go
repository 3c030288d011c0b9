package scenario

import (
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// sizes sends pings of unusual sizes, and with IP options.
func sizes() Scenario {
	return Scenario{
		Name:     "sizes",
		About:    "echo requests with 0, 1, 56 and 57 bytes of data, with as many as fit the link's MTU (1,472 at 1,500), and with IP options",
		RFC:      "RFC 792, echo; RFC 791 section 3.1, options; RFC 1071, odd lengths",
		Expect:   "each is answered once, in time, with every byte right",
		Requests: func(int) int { return 7 },
		Judge:    judge.Echo,
		Run:      runSizes,
	}
}

func runSizes(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
	e, err := p.OpenEcho(ctx, false)
	if err != nil {
		return nil, err
	}
	for _, size := range []int{0, 1, traffic.PingSize, traffic.PingSize + 1, p.Status.MTU - 28} {
		if err = e.Ask(ctx, fmt.Sprintf("%d bytes", size), size); err != nil {
			return e.Close(ctx, err)
		}
	}
	// A ping socket cannot send options. These requests are injected, so they have no
	// round-trip time.
	for _, options := range []struct {
		name  string
		bytes []byte
	}{
		{"option: no operation", []byte{1, 1, 1, 0}},
		{"option: record route", []byte{7, 7, 4, 0, 0, 0, 0, 0}},
	} {
		if err = e.Inject(ctx, options.name, p.CraftPing(options.bytes, e.Sent()+1, p.Random(24))); err != nil {
			break
		}
	}
	return e.Close(ctx, err)
}
