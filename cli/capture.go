package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// captureFile is a capture being read. Reading fails as soon as ctx ends, even from a
// named pipe whose writer is silent or never stops.
type captureFile struct {
	*os.File
	ctx context.Context
}

// openCapture opens a capture, or fails when ctx ends. Opening a named pipe waits for
// its writer and cannot be stopped, so the goroutine may stay until the process ends.
func openCapture(ctx context.Context, path string) (captureFile, error) {
	var file *os.File
	opened := make(chan error, 1)
	go func() {
		var err error
		file, err = os.Open(path)
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			return captureFile{}, err
		}
		return newCaptureFile(ctx, file), nil
	case <-ctx.Done():
		return captureFile{}, fmt.Errorf("opening %s: interrupted; if it is a named pipe, start a program that writes to it", path)
	}
}

func newCaptureFile(ctx context.Context, file *os.File) captureFile {
	context.AfterFunc(ctx, func() { _ = file.Close() })
	return captureFile{file, ctx}
}

func (c captureFile) Read(b []byte) (int, error) {
	n, err := c.File.Read(b)
	if c.ctx.Err() != nil {
		return 0, errors.New("interrupted before the end of the capture")
	}
	return n, err
}
