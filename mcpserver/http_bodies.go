package mcpserver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

const (
	// longestBody is the longest message over HTTP, in bytes: enough for 64
	// packets of 65,535 bytes in hex, but not for 10 MB.
	longestBody = 9 << 20

	// smallBody is how much of a body is read before memory is reserved for the
	// whole body, in bytes.
	smallBody = 64 << 10

	// drained is how much of a refused body is read, in bytes, so that the client
	// gets to read the reason.
	drained = 64 << 20
)

// bodies reads the bodies of requests within a memory budget.
type bodies struct{ memory *memory }

// read returns the body of a request and its share of the memory. The caller must
// release the share after use. If ok is false, read has answered the request with an
// error.
func (b *bodies) read(w http.ResponseWriter, r *http.Request) (body []byte, held *share, ok bool) {
	if r.ContentLength > longestBody {
		b.tooLong(w, r)
		return nil, nil, false
	}
	held = &share{of: b.memory}
	size := r.ContentLength
	if size < 0 { // unknown
		size = longestBody
	}
	if !held.resize(min(size, smallBody)) {
		b.noRoom(w, r)
		return nil, nil, false
	}
	buffer := bytes.NewBuffer(make([]byte, 0, min(size, smallBody)+bytes.MinRead))
	_, err := io.CopyN(buffer, r.Body, smallBody+1)
	if err == nil { // the body goes on
		if !held.resize(size) {
			held.release()
			b.noRoom(w, r)
			return nil, nil, false
		}
		if r.ContentLength >= 0 { // growing step by step could take twice as much memory
			buffer.Grow(int(size) - buffer.Len() + bytes.MinRead)
		}
		_, err = io.CopyN(buffer, r.Body, longestBody+1-int64(buffer.Len()))
	}
	switch {
	case err == nil:
		held.release()
		b.tooLong(w, r)
		return nil, nil, false
	case err != io.EOF:
		held.release()
		w.Header().Set("Connection", "close")
		refuse(w, r, http.StatusBadRequest, "the body of the request is incomplete: %v", err)
		return nil, nil, false
	}
	return buffer.Bytes(), held, true
}

func (b *bodies) noRoom(w http.ResponseWriter, r *http.Request) {
	b.drain(r)
	w.Header().Set("Retry-After", "1")
	refuse(w, r, http.StatusServiceUnavailable, "%s", noMemory.text)
}

func (b *bodies) tooLong(w http.ResponseWriter, r *http.Request) {
	length := ""
	if r.ContentLength >= 0 {
		length = fmt.Sprintf(" of %d bytes", r.ContentLength)
	}
	b.drain(r)
	refuse(w, r, http.StatusRequestEntityTooLarge, "a body%s is too long; accepted: up to %d bytes; write fewer packets in a call", length, longestBody)
}

// drain reads the rest of a body. A client that is still sending when the answer
// comes may never read it.
func (b *bodies) drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, drained) }
