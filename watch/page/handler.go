package page

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

//go:embed assets
var assets embed.FS

// indexTemplate is the page. It contains one rung for its script to copy.
var indexTemplate = template.Must(template.New("index").Parse(asset("index.html") + asset("details.html") + ladder.HTML))

// asset returns an embedded file.
func asset(name string) string {
	data, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // the file was not embedded
	}
	return string(data)
}

// handler returns the handler for all requests, behind the guard.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	file := func(path, kind, text string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind+"; charset=utf-8")
			_, _ = io.WriteString(w, text) // fails only if the browser has gone
		})
	}
	var index bytes.Buffer
	if err := indexTemplate.Execute(&index, ladder.Row{Class: "rung"}); err != nil {
		panic(err) // cannot happen with a tested template
	}
	file("/{$}", "text/html", index.String())
	file("/page.css", "text/css", asset("page.css")+ladder.CSS+asset("live.css"))
	for _, name := range []string{"page.js", "ladder.js", "packet.js", "plot.js", "time.js"} {
		file("/"+name, "text/javascript", asset(name))
	}
	mux.HandleFunc("GET /sessions", s.getSessions)
	mux.HandleFunc("GET /live", s.getLive)
	mux.HandleFunc("GET /packet", s.getPacket)
	mux.HandleFunc("POST /ping", s.postPing)
	return s.guard(mux)
}

// sessionsReply answers GET /sessions.
type sessionsReply struct {
	Running []string `json:"running"` // newest first
	First   string   `json:"first"`   // session to show if the address names none; "" means none is running
}

func (s *Server) getSessions(w http.ResponseWriter, _ *http.Request) {
	answer := sessionsReply{Running: control.Running(), First: s.config.Session}
	if answer.First == "" && len(answer.Running) > 0 {
		answer.First = answer.Running[0]
	}
	reply(w, answer)
}

// Times of a live stream.
const (
	messageEvery   = 100 * time.Millisecond // shortest time between messages; without a change nothing is sent
	heartbeatEvery = 15 * time.Second
	writePatience  = 30 * time.Second // time limit of a write, for a sleeping browser
	retryAfter     = 2 * time.Second  // when a browser asks again after a failure
)

// getLive streams changes as server-sent events, one message each, until the browser
// disconnects. The event ids let a browser that reconnects continue from there. In a new
// stream, the query after has the page's last id.
func (s *Server) getLive(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		http.Error(w, fmt.Sprintf("%d pages are already open; close one", maxStreams), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	h, err := s.hubs.of(r.URL.Query().Get("session"))
	if err != nil { // a browser hides an HTTP error from the page, but reconnects after a stream
		if why, err := json.Marshal(err.Error()); err == nil {
			_, _ = fmt.Fprintf(w, "retry: %d\nevent: trouble\ndata: %s\n\n", retryAfter.Milliseconds(), why)
		}
		return
	}
	h.join()
	defer h.leave()
	version := h.known(cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")))
	out := http.NewResponseController(w)
	tick := time.NewTicker(messageEvery)
	defer tick.Stop()
	for last := (time.Time{}); ; { // the first text is sent at once, so that the browser knows that it is connected
		now := time.Now()
		m, newest, changed := h.since(version, now)
		if changed || now.Sub(last) >= heartbeatEvery {
			text := ":\n\n"
			if changed {
				data, err := json.Marshal(m)
				if err != nil {
					return // cannot happen: a NaN
				}
				text = fmt.Sprintf("id: %s.%d\ndata: %s\n\n", h.epoch, newest, data)
			}
			_ = out.SetWriteDeadline(now.Add(writePatience))
			if _, err := io.WriteString(w, text); err != nil || out.Flush() != nil {
				return
			}
			version, last = newest, now
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// packetReply answers GET /packet.
type packetReply struct {
	Number  int         `json:"number,omitempty"`
	Title   string      `json:"title"`
	Facts   [][2]string `json:"facts"` // name and value
	ReplyTo int         `json:"reply_to,omitempty"`
	Answer  int         `json:"answer,omitempty"`
	Faults  []string    `json:"faults,omitempty"`
	Dump    string      `json:"dump,omitempty"` // bytes and fields
}

// getPacket returns the details of one packet, by its number or its row.
func (s *Server) getPacket(w http.ResponseWriter, r *http.Request) {
	h, err := s.hubs.of(r.URL.Query().Get("session"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	id, _ := strconv.Atoi(r.URL.Query().Get("row"))
	number, _ := strconv.Atoi(r.URL.Query().Get("number"))
	answer, err := h.packetOf(r.Context(), id, number)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	reply(w, answer)
}

// packetOf describes a packet, given by the id of its row or by its number. It uses
// what the hub keeps, or else the session's record.
func (h *hub) packetOf(ctx context.Context, id, number int) (packetReply, error) {
	h.mu.Lock()
	if id == 0 {
		id = h.shown[number]
	}
	var kept entry
	if e := h.entry(id); e != nil {
		kept = *e
	}
	h.mu.Unlock()
	e, answer := kept.event, kept.answer
	if number == 0 {
		number = e.Number
	}
	if e.Hex == "" || answer == 0 && e.Direction == session.Read { // the record may know the answer
		found, err := h.client.Packet(ctx, number)
		switch {
		case err == nil:
			if e.Hex == "" {
				e = found.Event
			}
			answer = found.Answer
		case e.Hex == "":
			return packetReply{}, err
		}
	}
	data, err := hex.DecodeString(e.Hex)
	if err != nil {
		return packetReply{}, fmt.Errorf("decoding packet #%d from the session: %w", number, err)
	}
	rung, _ := ladder.Of(e, h.start)
	rung.Lost = kept.rung.Lost
	row := rung.Row()
	p := packetReply{Number: e.Number, Title: strings.TrimSpace(row.Name + " " + row.Text), ReplyTo: e.ReplyTo, Answer: answer, Faults: e.Faults,
		Dump: packet.Dump(data, 0, true, true)}
	fact := func(what, value string) {
		if value != "" {
			p.Facts = append(p.Facts, [2]string{what, value})
		}
	}
	fact("time", e.Time.Local().Format("2006-01-02 15:04:05.000000"))
	fact("way", strings.TrimRight(row.Way, ",:"))
	fact("length", row.Size)
	fact("remarks", row.Answers)
	if e.Direction == session.Write {
		fact("assist", e.Assist)
	}
	return p, nil
}

// postPing sends one ping.
func (s *Server) postPing(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Session string `json:"session"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, longestBody)).Decode(&request); err != nil {
		http.Error(w, "ping: the body is not {\"session\": \"NAME\"}", http.StatusBadRequest)
		return
	}
	// A form on another site cannot send this content type.
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		http.Error(w, "ping: the content type must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	h, err := s.hubs.of(request.Session)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	h.mu.Lock()
	agent, ended := h.status.Agent, h.ended
	if agent == "" {
		agent = h.status.Agent6
	}
	h.mu.Unlock()
	if ended == "" {
		err = h.pinger.ping(r.Context(), agent)
	} else {
		err = errors.New("ping: the session has ended: " + ended)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	reply(w, struct{}{})
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // fails only if the browser has gone
}
