package tools

import (
	"net/netip"
	"time"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/session"
)

// Host is the agent's end of a link. The tools act on it.
type Host struct {
	Session *session.Session
	Assist  Assist       // the highest level that a call may ask for
	NoASCII bool         // if true, no result shows bytes of a packet as text
	Own     []netip.Addr // the agent's addresses, IPv4 first; empty means unknown
	Status  func() session.Status

	Handlers bool           // whether the agent may install handlers
	Limits   handler.Limits // limits for each handler
}

// All returns the tools in the order of the tool list.
func (h *Host) All() []Tool {
	all := []Tool{h.readPacket(), h.writePacket(), h.hexdump()}
	if h.Handlers {
		all = append(all, h.installHandler())
	}
	return all
}

// milliseconds returns n milliseconds as a duration.
func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
