package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errParentGone is the cause when a context of whileParentLives ends by itself.
var errParentGone = errors.New("the process that started this one is gone")

// whileParentLives returns a context that ends when the parent process is gone: a
// killed client may leave stdin open, as `go run` does. Call it before anything
// slow, because it watches the parent of that moment. With nohup, or as a child of
// init, it watches nobody.
func whileParentLives(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if parent := os.Getppid(); parent > 1 && !signal.Ignored(syscall.SIGHUP) {
		go watchParent(ctx, cancel, parent)
	}
	return ctx, func() { cancel(nil) }
}

// watchParent calls end when parent is no longer this process's parent. It returns
// then, or when ctx ends.
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
