package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errParentGone is the cause of the end of what whileParentLives returns.
var errParentGone = errors.New("the process that started this one is gone")

// whileParentLives returns a context that ends when the process that started
// this one is gone: a client that was killed may leave stdin open, `go run`
// does. To be called before what may take long: it watches whoever
// is the parent then. What was
// started with nohup has nobody to end with.
func whileParentLives(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	// A child of init has nobody to outlive.
	if parent := os.Getppid(); parent > 1 && !signal.Ignored(syscall.SIGHUP) {
		go watchParent(ctx, cancel, parent)
	}
	return ctx, func() { cancel(nil) }
}

// watchParent calls end once parent is not this process's any more, until ctx
// ends.
func watchParent(ctx context.Context, end context.CancelCauseFunc, parent int) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if os.Getppid() != parent {
				slog.Warn(errParentGone.Error()+"; ending", "parent", parent)
				end(errParentGone)
				return
			}
		}
	}
}
