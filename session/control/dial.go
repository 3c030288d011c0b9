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

// UpgradeDial is the protocol of POST /dial: after 101 Switching Protocols a
// DialRequest goes to the session and a DialAnswer comes back, each a line of
// JSON. Unless that has a fault, frames follow both ways until one side hangs
// up: see frame.go.
const UpgradeDial = "tun-mcp-dial"

// A DialRequest asks for a connection of the peer.
type DialRequest struct {
	Network   string `json:"network"`    // tcp, udp, tcp4, tcp6, udp4, udp6
	Address   string `json:"address"`    // 10.77.0.2:80
	TTL       int    `json:"ttl"`        // of all that it sends; 0: the stack's own
	TimeoutMS int64  `json:"timeout_ms"` // for the answer; 0: as long as the stack tries
}

// A DialAnswer says what came of it.
type DialAnswer struct {
	Local  string `json:"local,omitempty"`  // addresses of the connection
	Remote string `json:"remote,omitempty"` //
	Fault  *Fault `json:"fault,omitempty"`  // why there is none
}

// A peerDialer is a device whose peer can be asked to connect, like *tun.Link.
type peerDialer interface {
	DialContext(ctx context.Context, network, address string, ttl int) (net.Conn, error)
}

// lineTimeout is how long a command may take for its DialRequest.
const lineTimeout = 5 * time.Second

// postDial lends a command a socket of the peer.
func (c *Server) postDial(w http.ResponseWriter, r *http.Request) {
	peer, ok := c.session.Device().(peerDialer)
	if !ok {
		http.Error(w, "dial: the peer of this link has no sockets to offer", http.StatusConflict)
		return
	}
	if r.Header.Get("Upgrade") != UpgradeDial {
		w.Header().Set("Upgrade", UpgradeDial)
		http.Error(w, "dial: this needs the header Upgrade: "+UpgradeDial, http.StatusUpgradeRequired)
		return
	}
	c.dials.Add(1) // once hijacked, a connection is out of the server's sight
	defer c.dials.Done()
	caller, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer caller.Close()
	ctx, cancel := c.whileOpen()
	defer cancel()
	if caller.SetDeadline(time.Now().Add(lineTimeout)) != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { _ = caller.SetReadDeadline(past) })()
	fmt.Fprintf(both, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", UpgradeDial)
	if both.Flush() != nil {
		return
	}
	conn, network, err := c.dialFor(ctx, peer, caller, both.Reader)
	answer := DialAnswer{}
	switch {
	case err == nil:
		defer conn.Close()
		answer.Local, answer.Remote = conn.LocalAddr().String(), conn.RemoteAddr().String()
	case c.ended() != "":
		answer.Fault = &Fault{faultEnded, c.ended()}
	case errors.Is(err, os.ErrClosed): // the session will know it in a moment
		answer.Fault = &Fault{faultEnded, faultOf(err).Text}
	default:
		answer.Fault = faultOf(err)
	}
	_ = caller.SetWriteDeadline(time.Now().Add(lineTimeout))
	if json.NewEncoder(caller).Encode(answer) != nil || err != nil || caller.SetWriteDeadline(time.Time{}) != nil {
		return
	}
	newRelay(caller, both.Reader, conn, isStream(network), c.ended).run(ctx)
}

// ended says why the session has ended, or its socket; "": it has not.
func (c *Server) ended() string {
	select {
	case <-c.session.Done():
	case <-c.closing.Done():
	default:
		return ""
	}
	return c.end()
}

// whileOpen is a context that ends with the session, or with its socket.
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

// past as a deadline ends what waits.
var past = time.Unix(1, 0)

// dialFor reads what the caller wants and dials it. It gives up when the caller
// hangs up.
func (c *Server) dialFor(ctx context.Context, peer peerDialer, caller net.Conn, in *bufio.Reader) (conn net.Conn, network string, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, "", fmt.Errorf("dial: reading the request's line: %w", err)
	}
	var request DialRequest
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, "", fmt.Errorf(`dial: the line is not {"network": "tcp", "address": "10.77.0.2:80", "ttl": 0, "timeout_ms": 0}: %w`, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if request.TimeoutMS > 0 {
		var stop context.CancelFunc
		const most = math.MaxInt64 / int64(time.Millisecond) // beyond it a Duration begins anew below zero
		ctx, stop = context.WithTimeout(ctx, time.Duration(min(request.TimeoutMS, most))*time.Millisecond)
		defer stop()
	}

	if err := caller.SetReadDeadline(time.Time{}); err != nil {
		return nil, "", err
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if _, err := in.Peek(1); err != nil { // it has hung up: there is nothing to say before the answer
			cancel()
		}
	}()
	conn, err = peer.DialContext(ctx, request.Network, request.Address, request.TTL)
	_ = caller.SetReadDeadline(past)
	<-watched
	_ = caller.SetReadDeadline(time.Time{})
	return conn, request.Network, err
}
