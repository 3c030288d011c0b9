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
	// mostSessions bounds the sessions of protocol revisions up to 2025-11-25;
	// later ones have none. Few clients end theirs with DELETE.
	mostSessions = 256

	// A session that is idle for idleSession is forgotten. When there are too
	// many, so is the one that is idle for longest, if it is for quietSession. A
	// client that comes back is told to initialize again, and loses nothing.
	idleSession  = 30 * time.Minute
	quietSession = 10 * time.Second
)

// sessions gives out and knows the ids of MCP sessions. It is mcp-go's
// SessionIdManagerResolver.
type sessions struct {
	protocol *server.StreamableHTTPServer // keeps what it knows of a session by its id

	mu   sync.Mutex // guards what follows
	open map[string]*mcpSession
}

type mcpSession struct {
	messages int       // being dealt with
	since    time.Time // when the last was
}

func newSessions() *sessions { return &sessions{open: map[string]*mcpSession{}} }

// add opens a session for an initialize request, if there is room. It is in use
// until done is called, and forgotten then if the client was not told of it.
func (s *sessions) add() (id string, done func(told bool), ok bool) {
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
	if len(s.open)-len(gone) >= mostSessions && longest != "" {
		gone = append(gone, longest)
	}
	for _, id := range gone {
		delete(s.open, id)
	}
	if ok = len(s.open) < mostSessions; ok {
		id = rand.Text() // 130 random bits
		s.open[id] = &mcpSession{messages: 1}
	}
	s.mu.Unlock()

	for _, id := range gone { // mcp-go forgets it as if the client had said so
		s.protocol.Handle(nobody{}, &server.HTTPRequest{
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

// use says whether a session is known. It is in use until done is called.
func (s *sessions) use(id string) (done func(), known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, known := s.open[id]
	if !known || session.messages == 0 && time.Since(session.since) >= idleSession {
		return nil, false // the next add forgets it
	}
	session.messages++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		session.messages--
		session.since = time.Now()
	}, true
}

// Validate is mcp-go's: an unknown id is an error.
func (s *sessions) Validate(id string) (terminated bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.open[id]; !known {
		return false, errors.New("no such session")
	}
	return false, nil
}

// Terminate is mcp-go's: every client may end its session.
func (s *sessions) Terminate(id string) (notAllowed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
	return false, nil
}

// addedKey is where a request's context has the id of the session that was
// opened for it.
type addedKey struct{}

// ResolveSessionIdManager is mcp-go's: who deals with the ids of a request.
func (s *sessions) ResolveSessionIdManager(r *http.Request) server.SessionIdManager {
	id, _ := r.Context().Value(addedKey{}).(string)
	return sessionIDs{s, id}
}

// sessionIDs is mcp-go's SessionIdManager, for one request.
type sessionIDs struct {
	*sessions
	added string
}

// Generate is mcp-go's: it gives out the id of the session that was opened for
// this request. If none was, the id is empty, and mcp-go makes no session.
func (s sessionIDs) Generate() string { return s.added }

// nobody reads the answer to a DELETE that no client sent.
type nobody struct{}

func (nobody) Header() http.Header         { return http.Header{} }
func (nobody) WriteHeader(int)             {}
func (nobody) Write(p []byte) (int, error) { return len(p), nil }
func (nobody) Flush()                      {}
func (nobody) CanStream() bool             { return false }
