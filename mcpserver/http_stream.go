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

// heartbeat is how often the server sends something to a client that waits for an
// answer. Claude Code gives up on a request after 60 s without a header, and a read
// may take 92 s.
const heartbeat = 15 * time.Second

// slowAnswer is a ResponseWriter that turns a slow answer into an event stream, which
// starts before the answer is ready. A fast answer stays as it is.
type slowAnswer struct {
	http.ResponseWriter
	header http.Header // set by the handler
	ended  chan struct{}
	beats  sync.WaitGroup

	mu        sync.Mutex // guards all below and writes to the client
	answered  bool       // whether the handler has started its answer
	streaming bool
	data      bytes.Buffer // the answer, if streaming
}

// answerSlowly returns the ResponseWriter for a handler that writes one JSON answer,
// and a function to call after the handler.
func answerSlowly(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, func()) {
	if !strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/event-stream") {
		return w, func() {}
	}
	s := &slowAnswer{ResponseWriter: w, header: http.Header{}, ended: make(chan struct{})}
	s.beats.Go(s.beat)
	return s, s.end
}

// beat sends a comment to the client, so that it keeps waiting.
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
		// If the client has left, the request's context ends.
		_, _ = io.WriteString(s.ResponseWriter, ": the call is under way\n\n")
		_ = http.NewResponseController(s.ResponseWriter).Flush()
		s.mu.Unlock()
	}
}

// Header returns the handler's own header until it answers, since a beat may use the
// real one at the same time.
func (s *slowAnswer) Header() http.Header { return s.header }

func (s *slowAnswer) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer(status)
}

// answer starts the handler's answer. The caller holds s.mu.
func (s *slowAnswer) answer(status int) {
	if s.answered {
		return
	}
	s.answered = true
	if !s.streaming { // otherwise the status is already sent
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

// end stops the beats and sends the rest of the answer.
func (s *slowAnswer) end() {
	close(s.ended)
	s.beats.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data.Len() > 0 {
		event := append([]byte("event: message\ndata: "), bytes.TrimSpace(s.data.Bytes())...)
		_, _ = s.ResponseWriter.Write(append(event, "\n\n"...)) // see beat
	}
}
