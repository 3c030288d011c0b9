package mcpserver

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// heartbeat is how often a client that waits for an answer hears that it is
// under way. Claude Code gives a request up that has no header after 60 s; a
// read may take 92.
const heartbeat = 15 * time.Second

// slowAnswer makes an answer that takes long an event stream, which begins
// before the answer is there. One that comes soon is what it was.
type slowAnswer struct {
	http.ResponseWriter
	header http.Header // as the handler sets it
	ended  chan struct{}
	beats  sync.WaitGroup

	mu        sync.Mutex // guards what follows, and writing to the client
	answered  bool       // the handler has begun its answer
	streaming bool
	data      bytes.Buffer // the answer, while streaming
}

// answerSlowly returns what a handler of one JSON answer writes to, and what to
// call after it.
func answerSlowly(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, func()) {
	if !strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/event-stream") {
		return w, func() {}
	}
	s := &slowAnswer{ResponseWriter: w, header: http.Header{}, ended: make(chan struct{})}
	s.beats.Go(s.beat)
	return s, s.end
}

// beat tells the client that its answer is under way.
func (s *slowAnswer) beat() {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		if s.answered {
			s.mu.Unlock()
			return
		}
		if !s.streaming {
			s.streaming = true
			header := s.ResponseWriter.Header()
			header.Set("Content-Type", "text/event-stream")
			header.Set("Cache-Control", "no-cache")
			header.Set("X-Accel-Buffering", "no")
			s.ResponseWriter.WriteHeader(http.StatusOK)
		}
		// A client that has gone shows in the request's context.
		_, _ = io.WriteString(s.ResponseWriter, ": the call is under way\n\n")
		_ = http.NewResponseController(s.ResponseWriter).Flush()
		s.mu.Unlock()
	}
}

// Header is the handler's own until it answers: a beat may be using the other.
func (s *slowAnswer) Header() http.Header { return s.header }

func (s *slowAnswer) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer(status)
}

// answer begins the handler's answer. s.mu is held.
func (s *slowAnswer) answer(status int) {
	if s.answered {
		return
	}
	s.answered = true
	if !s.streaming { // else the status was sent long ago
		maps.Copy(s.ResponseWriter.Header(), s.header)
		s.ResponseWriter.WriteHeader(status)
	}
}

func (s *slowAnswer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer(http.StatusOK)
	if s.streaming {
		return s.data.Write(p)
	}
	return s.ResponseWriter.Write(p)
}

// end stops the beats and sends what is still to be sent.
func (s *slowAnswer) end() {
	close(s.ended)
	s.beats.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data.Len() > 0 {
		event := append([]byte("event: message\ndata: "), bytes.TrimSpace(s.data.Bytes())...)
		_, _ = s.ResponseWriter.Write(append(event, "\n\n"...)) // as above
	}
}
