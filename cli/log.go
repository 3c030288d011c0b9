package cli

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// maxUnwritten bounds the log lines that wait to be written, in bytes. More
	// are lost, and counted.
	maxUnwritten = 256 << 10

	// lastWords is how long a server that ends waits for its log to be written.
	lastWords = 500 * time.Millisecond
)

// logTo sends the default log, from level up, to out. Call the function it returns
// at the end: it writes the remaining lines. Logging never waits for out, which may
// be a full pipe that nobody reads.
func logTo(out io.Writer, level slog.Level) (flush func()) {
	w := newLogWriter(out)
	slog.SetDefault(slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})))
	return func() { w.flush(lastWords) }
}

// A logWriter writes to another writer from its own goroutine. It is safe for
// concurrent use.
type logWriter struct {
	out io.Writer

	mu        sync.Mutex // guards what follows
	unwritten bytes.Buffer
	writing   bool            // run is running
	lost      int             // lines lost since the last one that was kept
	idle      []chan struct{} // closed when everything is written
}

func newLogWriter(out io.Writer) *logWriter { return &logWriter{out: out} }

// Write takes one line, or counts it as lost if too much is waiting. It never
// blocks and never fails.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unwritten.Len()+len(line) > maxUnwritten {
		w.lost++
		return len(line), nil
	}
	if w.lost > 0 {
		w.sayLost()
	}
	w.unwritten.Write(line)
	if !w.writing {
		w.writing = true
		go w.run()
	}
	return len(line), nil
}

// sayLost logs the number of lost lines. The caller holds w.mu.
func (w *logWriter) sayLost() {
	fmt.Fprintf(&w.unwritten, "time=%s level=WARN msg=\"lines of this log were lost: stderr was not read\" lines=%d\n", time.Now().Format(time.RFC3339), w.lost)
	w.lost = 0
}

// run writes all waiting lines at once, again and again until none is left.
func (w *logWriter) run() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.unwritten.Len() > 0 {
		text := bytes.Clone(w.unwritten.Bytes())
		w.unwritten.Reset()
		w.mu.Unlock()
		_, _ = w.out.Write(text) // if stderr is closed, nobody wants the log
		w.mu.Lock()
		if w.lost > 0 { // there is room again
			w.sayLost()
		}
	}
	w.writing = false
	for _, idle := range w.idle {
		close(idle)
	}
	w.idle = nil
}

// flush waits until everything is written, at most for patience, and reports
// whether it is.
func (w *logWriter) flush(patience time.Duration) bool {
	w.mu.Lock()
	if !w.writing {
		w.mu.Unlock()
		return true
	}
	idle := make(chan struct{})
	w.idle = append(w.idle, idle)
	w.mu.Unlock()
	select {
	case <-idle:
		return true
	case <-time.After(patience):
		return false
	}
}

// complain writes a command's error to stderr. It waits at most lastWords, so that
// a pipe that nobody reads cannot keep the command from ending.
func complain(text string) {
	w := newLogWriter(os.Stderr)
	_, _ = w.Write([]byte(text)) // never fails
	w.flush(lastWords)
}
