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
	// later ones have none.
	mostSessions = 64

	// A session that is idle for idleSession is forgotten: its client has
	// vanished without a DELETE. One that is idle for quietSession is forgotten
	// if its place is needed; no call takes that long. A client that comes back
	// is told to initialize again, which costs it nothing else.
	idleSession  = 30 * time.Minute
	quietSession = 5 * time.Minute
)

// sessions gives out and knows the ids of MCP sessions. It is mcp-go's
// SessionIdManager.
type sessions struct {
	protocol *server.StreamableHTTPServer // keeps what it knows of a session by its id

	mu      sync.Mutex           // guards what follows
	used    map[string]time.Time // when a session was last used, by its id
	opening int                  // initialize requests under way
}

func newSessions() *sessions { return &sessions{used: map[string]time.Time{}} }

// open makes room for one more session, which the next Generate may take until
// opened is called.
func (s *sessions) open() (opened func(), ok bool) {
	s.forgetIdle(idleSession)
	if !s.reserve() {
		s.forgetIdle(quietSession)
		if !s.reserve() {
			return nil, false
		}
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.opening--
	}, true
}

func (s *sessions) reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.used)+s.opening >= mostSessions {
		return false
	}
	s.opening++
	return true
}

// use says whether a session is known, and that it is in use.
func (s *sessions) use(id string) bool {
	s.forgetIdle(idleSession)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.used[id]
	if known {
		s.used[id] = time.Now()
	}
	return known
}

// forgetIdle forgets the sessions that were idle for so long, as if their
// clients had sent DELETE.
func (s *sessions) forgetIdle(idle time.Duration) {
	s.mu.Lock()
	var gone []string
	for id, used := range s.used {
		if time.Since(used) >= idle {
			gone = append(gone, id)
		}
	}
	s.mu.Unlock()
	for _, id := range gone {
		s.protocol.Handle(nobody{}, &server.HTTPRequest{
			Method: http.MethodDelete, Header: http.Header{mcp.HeaderSessionID: {id}}, Context: context.Background(),
		})
	}
}

// Generate is mcp-go's: it gives out an id, 130 random bits.
func (s *sessions) Generate() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := rand.Text()
	s.used[id] = time.Now()
	return id
}

// Validate is mcp-go's: an unknown id is an error.
func (s *sessions) Validate(id string) (terminated bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.used[id]; !known {
		return false, errors.New("no such session")
	}
	return false, nil
}

// Terminate is mcp-go's: every client may end its session.
func (s *sessions) Terminate(id string) (notAllowed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.used, id)
	return false, nil
}

// nobody reads the answer to a DELETE that no client sent.
type nobody struct{}

func (nobody) Header() http.Header         { return http.Header{} }
func (nobody) WriteHeader(int)             {}
func (nobody) Write(p []byte) (int, error) { return len(p), nil }
func (nobody) Flush()                      {}
func (nobody) CanStream() bool             { return false }
