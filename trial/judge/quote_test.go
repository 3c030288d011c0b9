package judge

import (
	"fmt"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// An ICMP error must quote the packet that caused it. Only fields that routers change may
// differ.
func TestJudgeProgramQuotes(t *testing.T) {
	for _, test := range []struct {
		name  string
		quote func(b []byte, header int) []byte // makes the quote from the request
		want  string
	}{
		{"all", func(b []byte, _ int) []byte { return b }, ""},
		{"header and 8 bytes", func(b []byte, h int) []byte { return b[:h+8] }, ""},
		{"less", func(b []byte, h int) []byte { return b[:h+7] }, score.FaultLength},
		{"another TTL", func(b []byte, h int) []byte {
			if b[7]--; h == 20 {
				b[7]++
				b[8]--
				resealed(b)
			}
			return b
		}, ""},
		{"a byte of the header", func(b []byte, _ int) []byte { b[5] ^= 1; return b }, score.FaultPayload},
		{"a byte of the UDP checksum", func(b []byte, h int) []byte { b[h+6] ^= 1; return b }, score.FaultPayload},
		{"a byte of the data", func(b []byte, _ int) []byte { b[len(b)-1] ^= 1; return b }, score.FaultPayload},
	} {
		for version, unreachable := range map[int][]byte{4: {3, 3}, 6: {1, 4}} {
			for naming := range 3 {
				t.Run(fmt.Sprintf("%s/IPv%d/naming%d", test.name, version, naming), func(t *testing.T) {
					s := newStream()
					s.naming = naming
					r := datagramOf(version, 5000, 49151, "some data")
					s.ask(false, r.packet())
					s.requests[0].RoundTrip = time.Millisecond
					s.read()
					e := unreachableFor(r, unreachable[0], unreachable[1])
					e.body = append(e.body[:8], test.quote(r.packet(), map[int]int{4: 20, 6: 40}[version])...)
					s.write(1, e.packet())
					wantExchanges(t, Program(s.requests, s.events, time.Second), test.want)
				})
			}
		}
	}
}
