package ping

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"

	"github.com/tun-mcp/tun-mcp/session/control"
)

// A Remote is an echo socket that a session has on its peer. Times are measured
// there.
type Remote struct{ Conn *control.PingConn }

// Send is Socket's.
func (r Remote) Send(seq uint16, payload []byte) error { return r.Conn.Send(seq, payload) }

// Receive is Socket's.
func (r Remote) Receive() (Message, error) {
	a, err := r.Conn.Receive()
	if err != nil {
		return Message{}, err
	}
	if a.Unsent != "" {
		return Message{}, &Unsent{Seq: a.Seq, Err: errors.New(a.Unsent)}
	}
	m := Message{Type: int(a.Type), Code: int(a.Code), Seq: a.Seq, TTL: int(a.TTL)}
	if m.From, err = netip.ParseAddr(a.From); err != nil {
		return m, fmt.Errorf("reading what the session answers to a ping: %w", err)
	}
	if m.Data, err = hex.DecodeString(a.Hex); err != nil {
		return m, fmt.Errorf("reading what the session answers to a ping: %w", err)
	}
	if a.Sent > 0 {
		m.RTT = a.Received - a.Sent
	}
	return m, nil
}

// Close is Socket's.
func (r Remote) Close() error { return r.Conn.Close() }
