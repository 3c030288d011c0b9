package trial

import (
	"context"
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// pingSize is the data of an ordinary ping, in bytes.
const pingSize = 56

// ping is one echo request after the other.
func ping() Scenario {
	return Scenario{
		Name:   "ping",
		About:  "echo requests with 56 bytes of data, one after the other",
		RFC:    "RFC 792, echo; RFC 1122 section 3.2.2.6",
		Expect: "each is answered once, in time, every byte right",
		Judge:  judge.Echo,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.pings(ctx, false, f.Settings.Count, func(int) int { return pingSize })
		},
	}
}

// ping6 is the same over IPv6.
func ping6() Scenario {
	return Scenario{
		Name:   "ping6",
		About:  "ICMPv6 echo requests with 56 bytes of data, one after the other",
		RFC:    "RFC 4443 section 4; pseudo-header of RFC 8200 section 8.1",
		Expect: "each is answered once, in time, every byte right",
		IPv6:   true,
		Judge:  judge.Echo,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.pings(ctx, true, f.Settings.Count, func(int) int { return pingSize })
		},
	}
}

// pings sends count echo requests, each when the one before was answered or is
// too late, with as much data as size says.
func (f *Field) pings(ctx context.Context, is6 bool, count int, size func(i int) int) ([]judge.Request, error) {
	e, err := f.openEcho(ctx, is6)
	if err != nil {
		return nil, err
	}
	for i := range count {
		if err = e.ask(ctx, fmt.Sprintf("seq %d", i+1), size(i)); err != nil {
			break
		}
	}
	return e.close(ctx, err)
}
