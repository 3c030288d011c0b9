package session

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// Captured returns the packet of a described event in the form for a capture
// file, or false for other kinds of event.
func (e Event) Captured() (packet.Captured, bool) {
	data, err := hex.DecodeString(e.Hex)
	if err != nil || e.Event != EventPacket {
		return packet.Captured{}, false
	}
	return packet.Captured{FromPeer: e.Direction == Read, Time: e.Time, Data: data, Comment: e.comment(nil)}, true
}

// comment returns a packet's comment for capture files, or "". Failed is the
// reason why the device did not take the packet, or nil.
func (e Event) comment(failed error) string {
	var words []string
	if e.Injected {
		words = append(words, "injected, not sent by the peer's stack")
	}
	if e.ReplyTo != 0 {
		words = append(words, fmt.Sprintf("reply to #%d, %.6f s", e.ReplyTo, e.Response*float64(time.Millisecond)/float64(time.Second)))
	}
	if e.Handler {
		words = append(words, "by the handler")
	}
	if failed != nil {
		words = append(words, "lost, the link did not take it: "+failed.Error())
	}
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf("#%d %s", e.Number, strings.Join(words, ", "))
}
