package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupts returns two contexts: the first Ctrl-C (or SIGTERM) cancels stop, the
// second cancels now. SIGHUP, when the terminal is closed, cancels both, because no
// second Ctrl-C can follow; a process under nohup goes on.
func interrupts(log func(format string, args ...any)) (stop, now context.Context, done func()) {
	stop, end := context.WithCancel(context.Background())
	now, endNow := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	closed := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(closed, syscall.SIGHUP)
	}
	go func() {
		select {
		case <-closed:
			end()
			endNow()
			return
		case <-signals:
			log("stopping: waiting for the running trials; press Ctrl-C again to stop them too")
			end()
		case <-now.Done():
			return
		}
		select {
		case <-closed:
			endNow()
		case <-signals:
			log("stopping at once: the running trials will run again at the next start")
			endNow()
		case <-now.Done():
		}
	}()
	return stop, now, func() { signal.Stop(signals); signal.Stop(closed); end(); endNow() }
}
