package cli

import (
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
)

// A watch that only captures tells packets that the record forgot from events that it was too
// slow for.
func TestSilentNamesWhatIsMissing(t *testing.T) {
	var remarks strings.Builder
	s := &silent{remarks: &remarks, since: 3}
	for _, e := range []session.Event{{Event: session.EventMissed, Missed: 5000}, {Event: session.EventPacket, Number: 5003}, {Event: session.EventMissed, Missed: 7}} {
		if err := s.See(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "the record has forgotten 5000 packets, #3 to #5002\n7 events were missed: what takes the capture is slower than the link\n"
	if remarks.String() != want {
		t.Errorf("%q, want %q", remarks.String(), want)
	}
}
