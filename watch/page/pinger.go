package page

import (
	"context"
	"net/netip"
	"sync"

	"github.com/tun-mcp/tun-mcp/control"
)

// pinger pings a session's agent from its peer. It opens its socket at the first ping
// and keeps it.
type pinger struct {
	client *control.Client
	unsent func(why string) // is told why the last ping was not sent; "" means that it was

	sending sync.Mutex // held while a ping is sent, so one at a time

	mu     sync.Mutex // guards everything below; never held during a request to the session
	conn   *control.PingConn
	seq    uint16
	closed bool
}

// pingSize is the payload size of a ping, in bytes, as in iputils.
const pingSize = 56

// ping sends one echo request to the agent's address. The reply shows on the ladder
// when it crosses the link.
func (p *pinger) ping(ctx context.Context, agent string) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.mu.Lock()
	conn := p.conn
	p.seq++
	seq := p.seq
	p.mu.Unlock()
	p.unsent("")
	if conn == nil {
		addr, err := netip.ParseAddr(agent)
		if conn, err = p.client.OpenPing(ctx, err == nil && addr.Is6()); err != nil {
			return err
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			conn.Close()
			return &control.Ended{Session: p.client.Name, Why: "its link is closed"}
		}
		p.conn = conn
		p.mu.Unlock()
		go p.drain(conn)
	}
	payload := make([]byte, pingSize)
	for i := range payload {
		payload[i] = byte(i)
	}
	return conn.Send(seq, payload)
}

// drain reads and discards the answers, so that they do not pile up.
func (p *pinger) drain(conn *control.PingConn) {
	defer conn.Close()
	for {
		a, err := conn.Receive()
		p.unsent(a.Unsent)
		p.mu.Lock()
		if err != nil && p.conn == conn {
			p.conn = nil
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// close closes the pinger for good.
func (p *pinger) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}
