package mcpserver

import (
	"fmt"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	// allMemory is the memory for the messages of all requests in progress, in
	// bytes.
	allMemory = 256 << 20

	// perByte and perValue are the memory that a message costs for each of its
	// bytes (raw, decoded, and as packets) and for each of its JSON values. For
	// example `{"a":1}`, two values in 7 bytes, takes 380 bytes when decoded.
	perByte  = 3
	perValue = 224
)

// cost returns how much memory a message of valid JSON needs, in bytes.
func cost(text []byte) int64 { return int64(len(text))*perByte + int64(values(text))*perValue }

// memory is the memory budget for all messages in progress.
type memory struct {
	mu   sync.Mutex // guards free
	free int64      // bytes
}

func newMemory() *memory { return &memory{free: allMemory} }

// share is one message's part of a memory. It belongs to one goroutine.
type share struct {
	of   *memory
	size int64 // bytes
}

// resize changes the share's size and reports whether there was room. Without
// room the share stays as it was.
func (s *share) resize(size int64) bool {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if size-s.size > s.of.free {
		return false
	}
	s.of.free -= size - s.size
	s.size = size
	return true
}

func (s *share) release() { s.resize(0) }

// noMemory refuses a message because those in progress use all the memory.
var noMemory = &refusal{mcp.INTERNAL_ERROR, fmt.Sprintf("the requests in progress use all memory for requests (%d bytes): try again, or write fewer packets in a call", allMemory)}
