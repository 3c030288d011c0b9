package mcpserver

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const (
	// maxSessions is the most open sessions. Only protocol revisions up to
	// 2025-11-25 have sessions. Few clients end theirs with DELETE.
	maxSessions = 256

	// A session is forgotten after idleSession without a message. If there are too
	// many, the one idle for longest is forgotten, if that is at least
	// quietSession. Its client has to initialize again, and loses nothing.
	idleSession  = 30 * time.Minute
	quietSession = 10 * time.Second
)

// sessions issues and checks the ids of MCP sessions. It implements mcp-go's
// SessionIdManagerResolver.
type sessions struct {
	protocol *server.StreamableHTTPServer // has its own state for each session id

	mu   sync.Mutex // guards all below
	open map[string]*mcpSession
}

type mcpSession struct {
	apps     bool      // whether its client shows MCP Apps
	messages int       // messages in progress
	since    time.Time // when the last one ended
}

func newSessions() *sessions { return &sessions{open: map[string]*mcpSession{}} }

// add opens a session for an initialize request, if there is room. The session is in
// use until done is called. If told is false, the client does not know the id, and the
// session is forgotten.
func (s *sessions) add(apps bool) (id string, done func(told bool), ok bool) {
	s.mu.Lock()
	var gone []string
	longest := ""
	for id, session := range s.open {
		switch idle := time.Since(session.since); {
		case session.messages > 0:
		case idle >= idleSession:
			gone = append(gone, id)
		case idle >= quietSession && (longest == "" || session.since.Before(s.open[longest].since)):
			longest = id
		}
	}
	if len(s.open)-len(gone) >= maxSessions && longest != "" {
		gone = append(gone, longest)
	}
	for _, id := range gone {
		delete(s.open, id)
	}
	if ok = len(s.open) < maxSessions; ok {
		id = rand.Text() // 130 random bits
		s.open[id] = &mcpSession{apps: apps, messages: 1}
	}
	s.mu.Unlock()

	for _, id := range gone { // make mcp-go forget it, as if the client had sent DELETE
		s.protocol.Handle(discard{}, &server.HTTPRequest{
			Method: http.MethodDelete, Header: http.Header{mcp.HeaderSessionID: {id}}, Context: context.Background(),
		})
	}
	return id, func(told bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if session, ok := s.open[id]; ok {
			session.messages--
			session.since = time.Now()
		}
		if !told {
			delete(s.open, id)
		}
	}, ok
}

// use reports whether a session is known, and marks it as in use until done is called.
func (s *sessions) use(id string) (done func(), known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, known := s.open[id]
	if !known || session.messages == 0 && time.Since(session.since) >= idleSession {
		return nil, false // the next add removes it
	}
	session.messages++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		session.messages--
		session.since = time.Now()
	}, true
}

// showsApps reports whether the client of a session shows MCP Apps.
func (s *sessions) showsApps(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, known := s.open[id]
	return known && session.apps
}

// Validate implements mcp-go's SessionIdManager: an unknown id is an error.
func (s *sessions) Validate(id string) (terminated bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.open[id]; !known {
		return false, errors.New("no such session")
	}
	return false, nil
}

// Terminate implements mcp-go's SessionIdManager: every client may end its
// session.
func (s *sessions) Terminate(id string) (notAllowed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
	return false, nil
}

// addedKey is the context key for the id of a session opened for this request.
type addedKey struct{}

// ResolveSessionIdManager implements mcp-go's SessionIdManagerResolver.
func (s *sessions) ResolveSessionIdManager(r *http.Request) server.SessionIdManager {
	id, _ := r.Context().Value(addedKey{}).(string)
	return sessionIDs{s, id}
}

// sessionIDs implements mcp-go's SessionIdManager for one request.
type sessionIDs struct {
	*sessions
	added string
}

// Generate returns the id of the session opened for this request. If there is none,
// it returns "", and mcp-go makes no session.
func (s sessionIDs) Generate() string { return s.added }

// discard is the ResponseWriter of a DELETE that the server sends to itself.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) WriteHeader(int)             {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Flush()                      {}
func (discard) CanStream() bool             { return false }
