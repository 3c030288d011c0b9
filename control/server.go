// Package control implements a session's control socket: its server, in the
// process that has the link, and its client, in other commands of the same user
// (`ping`, `exec`, `trial`).
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// A Server serves a session to other commands of the same user.
type Server struct {
	session  *session.Session
	status   func() session.Status
	server   *http.Server
	closing  context.Context // ends when Close begins
	close    context.CancelFunc
	upgraded sync.WaitGroup // calls of POST /ping and /dial: http.Server does not track hijacked connections
	trial    chan struct{}  // has one element while a trial watches
}

// maxRequest bounds the body of a control request, in bytes: a packet of
// 65,535 bytes in hex fits.
const maxRequest = 256 << 10

// Serve starts serving s on listener and takes ownership of listener. Status
// returns the session's full status.
func Serve(s *session.Session, listener net.Listener, status func() session.Status) *Server {
	c := &Server{session: s, status: status, trial: make(chan struct{}, 1)}
	c.closing, c.close = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", c.getStatus)
	mux.HandleFunc("GET /events", c.getEvents)
	mux.HandleFunc("GET /packet", c.getPacket)
	mux.HandleFunc("GET /end", c.getEnd)
	mux.HandleFunc("POST /end", c.postEnd)
	mux.HandleFunc("POST /inject", c.postInject)
	mux.HandleFunc("POST /ping", c.postPing)
	mux.HandleFunc("POST /dial", c.postDial)
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go c.serve(listener)
	return c
}

// serve answers requests until Close. Only the listener could return an error.
func (c *Server) serve(listener net.Listener) { _ = c.server.Serve(listener) }

// Close closes the socket and ends all requests in progress.
func (c *Server) Close() error {
	c.close()
	defer c.upgraded.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := c.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return c.server.Close()
}

func (c *Server) getStatus(w http.ResponseWriter, _ *http.Request) { reply(w, c.status()) }

// trialPatience is how long a trial waits for one that has just ended to
// disconnect.
const trialPatience = time.Second

// getEvents streams events, one JSON object a line, until the link ends or the
// watcher disconnects. The headers are sent at once, so that a watcher knows
// from when on it sees everything. With the query since=NUMBER, the packets
// from that number on that the record still holds come first. With trial, the
// watcher is a trial, and a second one is refused until the first disconnects.
func (c *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	since := 0
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = strconv.Atoi(text); err != nil || since < 0 {
			http.Error(w, fmt.Sprintf("events: since=%q: accepted is a packet number from 1, or 0 for new events only", text), http.StatusBadRequest)
			return
		}
	}
	if r.URL.Query().Has("trial") {
		select {
		case c.trial <- struct{}{}:
			defer func() { <-c.trial }()
		case <-time.After(trialPatience):
			http.Error(w, "another trial is running in it, and each would count the other's packets; wait until that one ends", http.StatusConflict)
			return
		case <-r.Context().Done():
			return
		}
	}
	past, events, stop := c.session.Watch(since)
	defer stop()
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := http.NewResponseController(w)
	if out.Flush() != nil {
		return
	}
	lines := json.NewEncoder(w)
	for i := range past {
		past[i].Describe()
		if lines.Encode(past[i]) != nil {
			return
		}
		past[i] = session.Event{} // release the packet
	}
	if len(past) > 0 && out.Flush() != nil {
		return
	}
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
		case <-c.closing.Done():
			for len(events) > 0 {
				e := <-events
				e.Describe()
				if lines.Encode(e) != nil || e.Event == session.EventEnd {
					return
				}
			}
			_ = lines.Encode(session.Event{Event: session.EventEnd, Time: time.Now(), Why: c.end()})
			return
		case <-r.Context().Done():
			return
		}
	}
}

// PacketReply answers GET /packet.
type PacketReply struct {
	session.Event
	Answer int `json:"answer,omitempty"` // number of the packet that answered it, or 0
}

// getPacket returns one packet of the record.
func (c *Server) getPacket(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("number")
	number, err := strconv.Atoi(text)
	if err != nil {
		http.Error(w, fmt.Sprintf("packet: number=%q: accepted is a packet number, from 1", text), http.StatusBadRequest)
		return
	}
	e, answer, err := c.session.PacketEvent(number)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	reply(w, PacketReply{e, answer})
}

// EndReply answers GET /end and POST /end.
type EndReply struct {
	End string `json:"end"` // why the link ended
}

// getEnd responds when the link ends. It returns early if the caller
// disconnects.
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

// end returns the reason why the link has ended or is about to end.
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
	Number int `json:"number"` // number of the packet, now queued for the agent
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
	_ = encoder.Encode(value) // fails only if the caller is gone
}
