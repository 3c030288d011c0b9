package traffic

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
)

// The last ACK of a connection does not count for the next request. A SYN on the same
// ports begins a new connection, which does.
func TestConnectionBeginsWithItsOwnPacket(t *testing.T) {
	f := testPeer(t, time.Second, func(*session.Session, session.Delivered) {})
	segment := func(port uint16, flags byte) {
		t.Helper()
		b := make([]byte, 20)
		binary.BigEndian.PutUint16(b, port)
		b[3], b[12], b[13] = 7, 0x50, flags
		if _, err := f.Session.Inject(t.Context(), f.Craft(IPv4{Protocol: 6, Payload: b})); err != nil {
			t.Error(err)
		}
	}
	const syn, ack = 0x02, 0x10
	sent := [][]func(){
		{func() { segment(5000, syn) }, func() { segment(5000, ack) }},                                // #1, #2
		{func() { segment(5000, ack) }, func() { segment(5001, syn) }},                                // #3, #4
		{func() { segment(5001, ack) }, func() { segment(5000, syn) }, func() { segment(5000, ack) }}, // #5, #6, #7
	}
	requests, err := f.Programs(trialtest.Soon(t), len(sent), func(int) string { return "connection" }, func(_ context.Context, i int) error {
		for _, send := range sent[i] {
			send()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"[1 2]", "[4]", "[6 7]"} {
		if got := fmt.Sprint(requests[i].Numbers); got != want {
			t.Errorf("request %d has the packets %s, want %s", i+1, got, want)
		}
	}
}
