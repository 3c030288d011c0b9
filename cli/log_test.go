package cli

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A log that nobody reads blocks no writer. Lost lines are counted, and the count is
// logged when someone reads again.
func TestLogThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &blocked{read: make(chan struct{})}
		before := slog.Default()
		defer slog.SetDefault(before)
		flush := logTo(out, slog.LevelInfo)
		const lines = 10000
		began := time.Now()
		for i := range lines {
			slog.Error("something is wrong", "number", i, "padding", strings.Repeat("x", 100))
		}
		flush()
		if took := time.Since(began); took != lastWords {
			t.Errorf("logging took %v, want only the %v of flush", took, lastWords)
		}
		synctest.Wait()

		close(out.read)
		synctest.Wait()
		flush()
		text := out.String()
		kept, lost := strings.Count(text, "something is wrong"), 0
		for _, told := range regexp.MustCompile(`lines of this log were lost: stderr was not read" lines=(\d+)`).FindAllStringSubmatch(text, -1) {
			count, err := strconv.Atoi(told[1])
			if err != nil {
				t.Fatal(err)
			}
			lost += count // without the first part, which was already being written
		}
		if kept == 0 || lost == 0 || kept+lost != lines {
			t.Errorf("%d lines were kept and %d lost, of %d", kept, lost, lines)
		}
		if len(text) > 2*maxUnwritten {
			t.Errorf("%d bytes were kept, want at most %d", len(text), 2*maxUnwritten)
		}

		slog.Info("all is well")
		flush()
		if text := out.String(); !strings.HasSuffix(text, "msg=\"all is well\"\n") {
			t.Errorf("the log ends with %q", text[len(text)-100:])
		}
	})
}

// With concurrent writers, lines stay whole, and each writer's lines stay in order.
func TestLogIsWhole(t *testing.T) {
	var out syncBuffer
	w := newLogWriter(&out)
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for j := range 100 {
				fmt.Fprintf(w, "%d %d\n", i, j)
			}
		})
	}
	writers.Wait()
	if !w.flush(time.Minute) {
		t.Fatal("the log was not flushed within a minute")
	}
	next := map[int]int{}
	for line := range strings.Lines(out.String()) {
		var i, j int
		if _, err := fmt.Sscanf(line, "%d %d\n", &i, &j); err != nil || next[i] != j {
			t.Fatalf("%q, want number %d: %v", line, next[i], err)
		}
		next[i]++
	}
	if len(next) != 8 || next[7] != 100 {
		t.Errorf("got %v", next)
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// blocked is a writer that blocks until read is closed.
type blocked struct {
	read chan struct{}
	syncBuffer
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.read
	return b.syncBuffer.Write(p)
}
