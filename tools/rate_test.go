package tools

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A packet over the rate limit is refused, and so are all later packets of the
// call, which keeps the order. After the wait it is sent.
func TestWritePacketOverTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tuntest.NewDevice()
		s := session.New(d, session.Config{MTU: 1500, MaxPPS: 2})
		defer s.Close()
		h := &Host{Session: s, Assist: AssistFix, Status: func() session.Status { return s.Fill(session.Status{}) }}
		b := &bench{Host: h, t: t, device: d, tools: map[string]Tool{"write_packet": h.writePacket()}}

		one := `{"hex": "` + hex.EncodeToString(b.receive(request)) + `"}`
		text, err := b.call("write_packet", `{"packets": [`+one+`,`+one+`,`+one+`,{"hex": "4500"},{"reply_to": 1}], "then_read": {}}`)
		lines := strings.Split(text, "\n")
		want := []string{
			"#2 84 bytes written: ", "#3 84 bytes written: ",
			"packet 3: over the rate limit of 2 packets a second: write it again in 500 ms, and fewer at a time; the user can raise the limit with --max-pps N (0 means no limit)",
			"packet 4: 2 bytes are shorter than an IPv4 header (20)",
			"packet 5 (reply to #1): not sent either, over the rate limit",
			"3 of 5 packets not sent, so then_read was skipped: correct and write again",
		}
		for i, w := range want {
			if err != nil || len(lines) <= i || !strings.HasPrefix(lines[i], w) {
				t.Fatalf("%v, want line %d to be %q in\n%s", err, i+1, w, text)
			}
		}
		if c := s.Counters(); c.Written != 2 || c.Refused != 3 || c.TooFast != 2 {
			t.Errorf("counters %+v", c)
		}
		if _, err = b.call("write_packet", fmt.Sprintf(`{"packets": [%s]}`, one)); err == nil || !strings.HasPrefix(err.Error(), "packet 1: over the rate limit") {
			t.Errorf("again without a wait: %v", err)
		}
		time.Sleep(500 * time.Millisecond)
		if text, err = b.call("write_packet", fmt.Sprintf(`{"packets": [%s]}`, one)); err != nil || !strings.HasPrefix(text, "#4 84 bytes written") {
			t.Errorf("after the wait: %v, %s", err, text)
		}
		if sent := b.sent(); len(sent) != 3 {
			t.Errorf("the device got %d packets, want 3", len(sent))
		}
	})
}
