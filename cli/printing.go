package cli

import (
	"context"
	"os"
	"time"
)

// printPatience is how long a command that was told to end may take to finish printing.
const printPatience = 2 * time.Second

// whilePrinting ends the process if printing takes longer than printPatience after
// ctx has ended: stdout may be a full pipe that nobody reads, and a write to it then
// blocks forever. Call the returned function when everything is printed.
func whilePrinting(ctx context.Context) (printed func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-done:
		case <-time.After(printPatience):
			os.Exit(1)
		}
	})
	return func() {
		stop()
		close(done)
	}
}
