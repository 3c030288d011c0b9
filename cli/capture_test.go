package cli

import (
	"context"
	"os"
	"strings"
	"testing"
)

// The first Ctrl-C ends the reading of a pipe in which nothing comes.
func TestCaptureEndsWithContext(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	file := newCaptureFile(ctx, r)
	go cancel()
	if _, err := file.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("the error is %v", err)
	}
}
