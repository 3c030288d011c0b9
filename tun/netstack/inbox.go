package netstack

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// inboxSize is how many messages fit into an inbox, at most 64 MiB in all.
const inboxSize = 1024

// An inbox is a queue of messages from the stack to one reader. put never blocks, since
// the stack calls it.
type inbox[T any] struct {
	queue chan T
	once  sync.Once
	done  chan struct{} // closed when no more messages will come
	lost  atomic.Uint64 // messages lost because the queue was full
}

func newInbox[T any]() *inbox[T] {
	return &inbox[T]{queue: make(chan T, inboxSize), done: make(chan struct{})}
}

func (b *inbox[T]) put(m T) {
	select {
	case b.queue <- m:
	default:
		b.lost.Add(1)
	}
}

// get returns the next message. If there is none, it waits until ctx ends (and returns
// its error) or the inbox is closed (net.ErrClosed).
func (b *inbox[T]) get(ctx context.Context) (m T, err error) {
	select {
	case <-b.done:
		return m, net.ErrClosed
	default:
	}
	select { // return a waiting message even if ctx has ended
	case m = <-b.queue:
		return m, nil
	default:
	}
	select {
	case m = <-b.queue:
		return m, nil
	case <-b.done:
		return m, net.ErrClosed
	case <-ctx.Done():
		return m, ctx.Err()
	}
}

// close wakes the reader. It may be called twice.
func (b *inbox[T]) close() { b.once.Do(func() { close(b.done) }) }
