package trial

import (
	"strings"
	"sync"
)

// tail keeps the end of what is written to it.
type tail struct {
	limit int // bytes

	mu   sync.Mutex // guards text
	text []byte
}

// What is kept of an agent's output, in bytes.
const (
	tailBytes   = 1000    // of its stderr: its last words
	outputBytes = 1 << 20 // of its stdout: what it tells of itself
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - t.limit; over > 0 {
		t.text = append([]byte(nil), t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// lastWords is the end of what an agent said, in one line: a slash stands where
// a line ended.
func lastWords(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > tailBytes {
		text = "…" + text[len(text)-tailBytes:]
	}
	var lines []string
	for _, line := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' }) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " / ")
}
