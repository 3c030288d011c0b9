package traffic

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// If the link loses one fragment of a request, the others are still found.
func TestFindWithoutAFragment(t *testing.T) {
	f := testPeerOn(t, tun.Config{MTU: 1500}, trialtest.Never, func(s *session.Session, p session.Delivered) {})
	e, err := f.OpenEcho(trialtest.Soon(t), false)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := e.send("seq", 3000); err != nil {
			t.Fatal(err)
		}
	}
	var fragments []session.Event
	f.Events.until(trialtest.Soon(t), func(r *Events) bool {
		fragments = slices.DeleteFunc(slices.Clone(r.events), func(e session.Event) bool { return e.Event != session.EventPacket })
		return len(fragments) == 6
	})
	e.conn.Close()
	e.stop()
	e.work.Wait()
	for gone := range 3 {
		found := &EchoSender{peer: f, requests: e.requests, taken: make(map[string]*echoRequest)}
		for i, fragment := range fragments {
			data, err := hex.DecodeString(fragment.Hex)
			if err != nil {
				t.Fatal(err)
			}
			if want := e.requests[i/3]; i%3 != gone && found.find(data) != want {
				t.Errorf("without fragment %d of each: #%d is not matched to request %d", gone+1, fragment.Number, want.N)
			}
		}
	}
	for _, r := range e.requests {
		if r.Fragments != 3 {
			t.Errorf("request %d has %d fragments", r.N, r.Fragments)
		}
	}
}
