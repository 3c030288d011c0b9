// Package control is the control socket of a session: its server, in the
// process that has the link, and its client, in the other commands of the same
// user (`ping`, `exec`, `trial`).
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// A Server serves a session to other commands of the same user.
type Server struct {
	session *session.Session
	status  func() session.Status
	server  *http.Server
	closing context.Context // ends when Close begins
	close   context.CancelFunc
	pings   sync.WaitGroup // calls of POST /ping
	dials   sync.WaitGroup // calls of POST /dial
}

// maxRequest bounds the body of a control request, in bytes: a packet of
// 65,535 bytes in hex fits.
const maxRequest = 256 << 10

// Serve starts serving s on listener, which it owns from now on.
// Status completes what the session knows of itself.
func Serve(s *session.Session, listener net.Listener, status func() session.Status) *Server {
	c := &Server{session: s, status: status}
	c.closing, c.close = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", c.getStatus)
	mux.HandleFunc("GET /events", c.getEvents)
	mux.HandleFunc("GET /end", c.getEnd)
	mux.HandleFunc("POST /end", c.postEnd)
	mux.HandleFunc("POST /inject", c.postInject)
	mux.HandleFunc("POST /ping", c.postPing)
	mux.HandleFunc("POST /dial", c.postDial)
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go c.serve(listener)
	return c
}

// serve answers until Close. Its error could only be that of the listener.
func (c *Server) serve(listener net.Listener) { _ = c.server.Serve(listener) }

// Close ends the socket and everything that is being served on it.
func (c *Server) Close() error {
	c.close()
	defer c.pings.Wait()
	defer c.dials.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := c.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return c.server.Close()
}

func (c *Server) getStatus(w http.ResponseWriter, _ *http.Request) { reply(w, c.status()) }

// getEvents streams events, one JSON object a line, until the link ends or
// the watcher goes. The first line is written at once, so that a watcher knows
// from when on it sees everything.
func (c *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	events, stop := c.session.Watch()
	defer stop()
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := http.NewResponseController(w)
	if out.Flush() != nil {
		return
	}
	lines := json.NewEncoder(w)
	for {
		select {
		case e := <-events:
			e.Describe()
			if lines.Encode(e) != nil {
				return
			}
			if len(events) == 0 && out.Flush() != nil {
				return
			}
			if e.Event == session.EventEnd {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// EndReply answers GET /end and POST /end.
type EndReply struct {
	End string `json:"end"` // why the link has ended
}

// getEnd answers when the link has ended, or the caller has gone.
func (c *Server) getEnd(w http.ResponseWriter, r *http.Request) {
	if http.NewResponseController(w).Flush() != nil {
		return
	}
	select {
	case <-c.session.Done():
	case <-c.closing.Done():
	case <-r.Context().Done():
		return
	}
	reply(w, EndReply{End: c.end()})
}

// end says why the link has ended, or is about to.
func (c *Server) end() string {
	err := c.session.Err()
	meant, ok := errors.AsType[*session.EndedError](err)
	switch {
	case ok:
		return meant.Why
	case err != nil && err != session.ErrClosedHere:
		return err.Error()
	}
	return "its server was stopped"
}

// InjectRequest is the body of POST /inject.
type InjectRequest struct {
	Hex string `json:"hex"` // the whole packet; it need not be a valid one
}

// InjectReply answers POST /inject.
type InjectReply struct {
	Number int `json:"number"` // of the packet, now queued for the agent
}

func (c *Server) postInject(w http.ResponseWriter, r *http.Request) {
	var request InjectRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&request); err != nil {
		http.Error(w, fmt.Sprintf("inject: the body is not {\"hex\": \"4500…\"}: %v", err), http.StatusBadRequest)
		return
	}
	data, err := packet.ParseHex(request.Hex)
	if err != nil {
		http.Error(w, "inject: "+err.Error(), http.StatusBadRequest)
		return
	}
	p, err := c.session.Inject(data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	reply(w, InjectReply{Number: p.Number})
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value) // only a caller that has gone makes it fail
}
