package subject

import (
	"strings"
	"sync"
)

// output is a writer that keeps the last limit bytes.
type output struct {
	limit int // bytes

	mu   sync.Mutex // guards text
	text []byte
}

// How many bytes of an agent's output are kept.
const (
	tailBytes   = 1000    // of stderr, for error texts
	outputBytes = 1 << 20 // of stdout, which may end with its usage
)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if over := len(o.text) - o.limit; over > 0 {
		o.text = append([]byte(nil), o.text[over:]...)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// lastLines returns the end of an agent's output as one line, with a slash in place of
// each line break.
func lastLines(text string) string {
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
