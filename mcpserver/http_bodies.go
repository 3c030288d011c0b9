package mcpserver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
)

const (
	// longestBody bounds a message over HTTP, in bytes: 64 packets of 65,535
	// bytes in hex fit, 10 MB do not.
	longestBody = 9 << 20

	// smallBody is what any client may send at any time, in bytes.
	smallBody = 64 << 10

	// allBodies bounds the larger bodies of all requests under way, in bytes:
	// what they take in memory is a few times that.
	allBodies = 64 << 20

	// drained is how much of a body that is refused is read, in bytes, so that
	// the client gets to hear why.
	drained = 64 << 20
)

// bodies reads the bodies of requests, within bounds.
type bodies struct {
	mu   sync.Mutex // guards free
	free int64      // bytes
}

func newBodies() *bodies { return &bodies{free: allBodies} }

// read returns the whole body and a function to call when it is not needed any
// more. If it cannot, it has answered.
func (b *bodies) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), ok bool) {
	if r.ContentLength > longestBody {
		b.tooLong(w, r)
		return nil, nil, false
	}
	buffer := bytes.NewBuffer(make([]byte, 0, max(0, min(r.ContentLength, smallBody))+bytes.MinRead))
	_, err := io.CopyN(buffer, r.Body, smallBody+1)
	release = func() {}
	if err == nil { // there is more
		size := r.ContentLength
		if size < 0 { // not said
			size = longestBody
		}
		if !b.take(size) {
			b.drain(r)
			w.Header().Set("Retry-After", "1")
			refuse(w, r, http.StatusServiceUnavailable, "the requests under way fill the memory for them (%d bytes): try again, or write fewer packets in a call", allBodies)
			return nil, nil, false
		}
		release = sync.OnceFunc(func() { b.give(size) })
		_, err = io.CopyN(buffer, r.Body, longestBody+1-int64(buffer.Len()))
	}
	switch {
	case err == nil:
		release()
		b.tooLong(w, r)
		return nil, nil, false
	case err != io.EOF:
		release()
		w.Header().Set("Connection", "close")
		refuse(w, r, http.StatusBadRequest, "the body of the request did not come whole: %v", err)
		return nil, nil, false
	}
	return buffer.Bytes(), release, true
}

func (b *bodies) tooLong(w http.ResponseWriter, r *http.Request) {
	length := ""
	if r.ContentLength >= 0 {
		length = fmt.Sprintf(" of %d bytes", r.ContentLength)
	}
	b.drain(r)
	refuse(w, r, http.StatusRequestEntityTooLarge, "a body%s is too long, accepted are %d: write fewer packets in a call", length, longestBody)
}

// drain reads what is left of a body. A client that is answered while it still
// sends may never read the answer.
func (b *bodies) drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, drained) }

func (b *bodies) take(size int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if size > b.free {
		return false
	}
	b.free -= size
	return true
}

func (b *bodies) give(size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += size
}
