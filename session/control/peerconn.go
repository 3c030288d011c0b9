package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A peerConn is a connection of the peer, used from another process: the
// session relays it. Reads and writes work in whole frames; a deadline may pass
// in the middle of one, and the next call goes on with it.
type peerConn struct {
	session       string   // its name
	wire          net.Conn // to the session
	network       string
	local, remote net.Addr
	stream        bool // TCP, not UDP
	closed        atomic.Bool

	reading sync.Mutex    // held during a Read; guards the fields below
	in      *bufio.Reader // holds a whole frame
	left    int           // TCP: bytes of the current frame that were not read yet
	fate    error         // what every further Read returns

	writing sync.Mutex // held during a Write; guards the fields below
	frame   []byte     // room for what is being sent
	unsent  []byte     // in it: what a deadline has cut off
	ended   bool       // TCP: CloseWrite was called
}

// peerStream is a peerConn of TCP.
type peerStream struct{ *peerConn }

// Dial connects the peer of the session to an address, as tun.Link's
// DialContext does, for a process that is not in the peer's network. The
// connection has deadlines, and with TCP CloseWrite; its errors satisfy
// errors.Is as those of a connection of one's own, for example with
// syscall.ECONNREFUSED. When the session ends, Read returns an *Ended.
//
// Write is done when the session has the bytes. A reset and a datagram that was
// refused are told by the next Read.
func (c *Client) Dial(ctx context.Context, network, address string, ttl int) (net.Conn, error) {
	conn, err := c.dialPeer(ctx, network, address, ttl)
	if err == nil {
		return conn, nil
	}
	if cause := ctx.Err(); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			err = (&Fault{"deadline", "nobody answered before the deadline"}).err(c.Name)
		} else {
			err = &peerError{"cancelled before anybody answered", []error{cause}}
		}
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: textAddr{network, address}, Err: err}
}

func (c *Client) dialPeer(ctx context.Context, network, address string, ttl int) (conn net.Conn, err error) {
	var d net.Dialer
	wire, err := d.DialContext(ctx, "unix", c.Path)
	switch {
	case err == nil:
	case refused(err) || errors.Is(err, os.ErrNotExist):
		return nil, &Ended{Session: c.Name, Why: gone}
	default:
		return nil, fmt.Errorf("asking session %s for a dial: %w", c.Name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = wire.SetDeadline(past) })
	defer func() {
		if !stop() && err == nil { // its deadline may have been set by now
			err = ctx.Err()
		}
		if err != nil {
			wire.Close()
		}
	}()

	in := bufio.NewReaderSize(wire, frameHead+maxFrame)
	if err := c.upgrade(ctx, wire, in); err != nil {
		return nil, err
	}
	request := DialRequest{Network: network, Address: address, TTL: ttl}
	if deadline, ok := ctx.Deadline(); ok {
		request.TimeoutMS = max(1, time.Until(deadline).Milliseconds())
	}
	if err := json.NewEncoder(wire).Encode(request); err != nil {
		return nil, err
	}
	line, err := in.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = &Ended{Session: c.Name, Why: gone}
		}
		return nil, err
	}
	var answer DialAnswer
	if err := json.Unmarshal(line, &answer); err != nil {
		return nil, fmt.Errorf("reading what session %s answered to a dial: %w", c.Name, err)
	}
	if answer.Fault != nil {
		return nil, answer.Fault.err(c.Name)
	}
	p := &peerConn{session: c.Name, wire: wire, network: network, stream: isStream(network), in: in,
		local: addrOf(network, answer.Local), remote: addrOf(network, answer.Remote)}
	if p.stream {
		return peerStream{p}, nil
	}
	return p, nil
}

// upgrade turns a connection to the control socket into one of POST /dial.
func (c *Client) upgrade(ctx context.Context, wire net.Conn, in *bufio.Reader) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://session/dial", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", UpgradeDial)
	if err := r.Write(wire); err != nil {
		return fmt.Errorf("asking session %s for a dial: %w", c.Name, err)
	}
	response, err := http.ReadResponse(in, r)
	if err != nil {
		return fmt.Errorf("asking session %s for a dial: %w", c.Name, err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return c.refused(response)
	}
	return nil
}

// addrOf is an address of the peer's stack.
func addrOf(network, address string) net.Addr {
	at, err := netip.ParseAddrPort(address)
	switch {
	case err != nil:
		return textAddr{network, address}
	case isStream(network):
		return net.TCPAddrFromAddrPort(at)
	default:
		return net.UDPAddrFromAddrPort(at)
	}
}

// A textAddr is an address as it was written.
type textAddr struct{ network, address string }

func (a textAddr) Network() string { return a.network }
func (a textAddr) String() string  { return a.address }

func (c *peerConn) LocalAddr() net.Addr           { return c.local }
func (c *peerConn) RemoteAddr() net.Addr          { return c.remote }
func (c *peerConn) SetDeadline(t time.Time) error { return c.wrap("set", c.wire.SetDeadline(t)) }
func (c *peerConn) SetReadDeadline(t time.Time) error {
	return c.wrap("set", c.wire.SetReadDeadline(t))
}
func (c *peerConn) SetWriteDeadline(t time.Time) error {
	return c.wrap("set", c.wire.SetWriteDeadline(t))
}

// Close ends the connection. TCP's peer still sends what was written; not after
// a Write that a deadline cut short: that ends in the middle.
func (c *peerConn) Close() error {
	if c.closed.Swap(true) {
		return c.wrap("close", net.ErrClosed)
	}
	return c.wrap("close", c.wire.Close())
}

// wrap gives an error the form of package net.
func (c *peerConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF && !c.closed.Load() {
		return err
	}
	if inner, ok := errors.AsType[*net.OpError](err); ok {
		err = inner.Err
	}
	if c.closed.Load() {
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: c.network, Source: c.local, Addr: c.remote, Err: err}
}

// lost is the error of a wire that failed without a word from the session.
func (c *peerConn) lost(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return &Ended{Session: c.session, Why: gone}
}

// brokenPipe is what a write meets when the session reads no more of it: after
// a reset, or its own end. Read knows which.
var brokenPipe = &peerError{"broken pipe: read to see why", []error{syscall.EPIPE}}
