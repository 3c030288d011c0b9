package tools

import (
	"net/netip"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// Host is what the tools act on: the agent's end of a link.
type Host struct {
	Session *session.Session
	Assist  Assist       // the ceiling
	NoASCII bool         // results never show a packet's bytes as text
	Own     []netip.Addr // the agent's addresses, IPv4 first; none: not told
	Status  func() session.Status
}

// All returns the tools, in the order they are listed to the agent.
func (h *Host) All() []Tool {
	return []Tool{h.readPacket(), h.writePacket(), h.hexdump()}
}

// milliseconds turns an argument into a duration.
func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
