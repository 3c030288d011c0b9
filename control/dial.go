package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"time"
)

// UpgradeDial is the protocol of POST /dial. After 101 Switching Protocols the
// client sends a DialRequest and the session returns a DialAnswer, each a line
// of JSON. Unless the answer has a fault, frames follow in both directions
// until one side closes the connection: see frame.go.
const UpgradeDial = "tun-mcp-dial"

// A DialRequest asks for a connection of the peer.
type DialRequest struct {
	Network   string `json:"network"`    // tcp, udp, tcp4, tcp6, udp4, udp6
	Address   string `json:"address"`    // 10.77.0.2:80
	TTL       int    `json:"ttl"`        // TTL of all packets it sends; 0 means the stack's default
	TimeoutMS int64  `json:"timeout_ms"` // time limit for the answer; 0 means until the stack gives up
}

// A DialAnswer answers a DialRequest.
type DialAnswer struct {
	Local  string `json:"local,omitempty"`  // addresses of the connection
	Remote string `json:"remote,omitempty"` //
	Fault  *Fault `json:"fault,omitempty"`  // why there is no connection
}

// A peerDialer is a device whose peer can be asked to connect, like *tun.Link.
type peerDialer interface {
	DialContext(ctx context.Context, network, address string, ttl int) (net.Conn, error)
}

// postDial gives a command a connection from the peer.
func (c *Server) postDial(w http.ResponseWriter, r *http.Request) {
	peer, ok := c.session.Device().(peerDialer)
	if !ok {
		http.Error(w, "dial: this link cannot open connections from its peer", http.StatusConflict)
		return
	}
	c.upgraded.Add(1)
	defer c.upgraded.Done()
	caller, in, ok := upgrade(w, r, UpgradeDial)
	if !ok {
		return
	}
	defer caller.Close()
	ctx, cancel := c.whileOpen()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = caller.SetReadDeadline(past) })()
	conn, network, err := c.dialFor(ctx, peer, caller, in)
	answer := DialAnswer{}
	switch {
	case err == nil:
		defer conn.Close()
		answer.Local, answer.Remote = conn.LocalAddr().String(), conn.RemoteAddr().String()
	case c.ended() != "":
		answer.Fault = &Fault{faultEnded, c.ended()}
	case errors.Is(err, os.ErrClosed): // the session notices in a moment
		answer.Fault = &Fault{faultEnded, faultOf(err).Text}
	default:
		answer.Fault = faultOf(err)
	}
	_ = caller.SetWriteDeadline(time.Now().Add(lineTimeout))
	if json.NewEncoder(caller).Encode(answer) != nil || err != nil || caller.SetWriteDeadline(time.Time{}) != nil {
		return
	}
	newRelay(caller, in, conn, isStream(network), c.ended).run(ctx)
}

// ended returns the reason why the session or its socket has ended, or "".
func (c *Server) ended() string {
	select {
	case <-c.session.Done():
	case <-c.closing.Done():
	default:
		return ""
	}
	return c.end()
}

// whileOpen returns a context that ends with the session or its socket.
func (c *Server) whileOpen() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(c.closing)
	go func() {
		select {
		case <-c.session.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// past is a deadline in the past. Setting it wakes blocked reads and writes.
var past = time.Unix(1, 0)

// dialFor reads the caller's request and dials. It gives up when the caller
// closes the connection.
func (c *Server) dialFor(ctx context.Context, peer peerDialer, caller net.Conn, in *bufio.Reader) (conn net.Conn, network string, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, "", fmt.Errorf("dial: reading the request: %w", err)
	}
	var request DialRequest
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, "", fmt.Errorf(`dial: the line is not {"network": "tcp", "address": "10.77.0.2:80", "ttl": 0, "timeout_ms": 0}: %w`, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if request.TimeoutMS > 0 {
		var stop context.CancelFunc
		const most = math.MaxInt64 / int64(time.Millisecond) // a larger value would overflow Duration
		ctx, stop = context.WithTimeout(ctx, time.Duration(min(request.TimeoutMS, most))*time.Millisecond)
		defer stop()
	}

	if err := caller.SetReadDeadline(time.Time{}); err != nil {
		return nil, "", err
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if _, err := in.Peek(1); err != nil { // the caller hung up: it sends nothing before the answer
			cancel()
		}
	}()
	conn, err = peer.DialContext(ctx, request.Network, request.Address, request.TTL)
	_ = caller.SetReadDeadline(past)
	<-watched
	_ = caller.SetReadDeadline(time.Time{})
	return conn, request.Network, err
}
