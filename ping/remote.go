package ping

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"

	"github.com/tun-mcp/tun-mcp/control"
)

// A Remote is an echo socket on a session's peer. The session measures the
// times.
type Remote struct{ Conn *control.PingConn }

// Send implements Socket.
func (r Remote) Send(seq uint16, payload []byte) error { return r.Conn.Send(seq, payload) }

// Receive implements Socket.
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
		return m, fmt.Errorf("reading the answer of the session to a ping: %w", err)
	}
	if m.Data, err = hex.DecodeString(a.Hex); err != nil {
		return m, fmt.Errorf("reading the answer of the session to a ping: %w", err)
	}
	if a.Sent > 0 {
		m.RTT = a.Received - a.Sent
	}
	return m, nil
}

// Close implements Socket.
func (r Remote) Close() error { return r.Conn.Close() }
