package worker

import (
	"strings"
	"sync"
)

// tail is a writer that keeps the last tailBytes written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

// last returns the last line that is not empty, without tun-mcp's prefix, cut to
// 500 bytes.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	line := strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "tun-mcp: ")
	if over := len(line) - 500; over > 0 {
		line = line[:500]
	}
	return line
}
