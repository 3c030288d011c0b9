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

// A peerConn is a peer's connection used from another process and relayed by
// the session. Reads and writes work in whole frames. If a deadline passes in
// the middle of a frame, the next call continues it.
type peerConn struct {
	session       string   // session name
	wire          net.Conn // to the session
	network       string
	local, remote net.Addr
	stream        bool // TCP, not UDP
	closed        atomic.Bool

	reading sync.Mutex    // held during a Read; guards the fields below
	in      *bufio.Reader // holds a whole frame
	left    int           // TCP: unread bytes of the current frame
	fate    error         // error that every further Read returns

	writing sync.Mutex // held during a Write; guards the fields below
	frame   []byte     // buffer for the frame being sent
	unsent  []byte     // the part of frame that a deadline cut off
	ended   bool       // TCP: CloseWrite was called
}

// peerStream is a TCP peerConn.
type peerStream struct{ *peerConn }

// Dial connects the session's peer to an address like tun.Link's DialContext,
// for a process outside the peer's network. The connection supports deadlines
// and, with TCP, CloseWrite. Its errors work with errors.Is like those of a
// local connection, for example syscall.ECONNREFUSED. When the session ends,
// Read returns an *Ended.
//
// Write returns when the session has the bytes. The next Read reports a reset
// or a refused datagram.
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
		if !stop() && err == nil { // ctx may have ended and set the deadline
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
		return nil, fmt.Errorf("reading the answer of session %s to a dial: %w", c.Name, err)
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

// upgrade switches a connection to the control socket to the protocol of POST
// /dial.
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

// addrOf returns an address of the peer's stack.
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

// Close ends the connection. With TCP the peer still sends what was written,
// except after a Write that a deadline cut short: that data stays incomplete.
func (c *peerConn) Close() error {
	if c.closed.Swap(true) {
		return c.wrap("close", net.ErrClosed)
	}
	return c.wrap("close", c.wire.Close())
}

// wrap returns an error as a *net.OpError.
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

// lost returns the error for a wire that failed without a message from the
// session.
func (c *peerConn) lost(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return &Ended{Session: c.session, Why: gone}
}

// errBrokenPipe is the error of a write when the session no longer reads, because of a
// reset or because it has ended. Read returns the reason.
var errBrokenPipe = &peerError{"broken pipe; the next Read returns the reason", []error{syscall.EPIPE}}
