package netstack

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// inboxSize is how many messages wait in an inbox, at most 64 MiB of them.
const inboxSize = 1024

// An inbox hands messages from the stack to one that waits for them. put never
// blocks: it is called from within the stack.
type inbox[T any] struct {
	queue chan T
	once  sync.Once
	done  chan struct{} // closed: no more messages
	lost  atomic.Uint64 // messages that found the queue full
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

// get waits for the next message, until ctx ends (its error) or the inbox is
// closed (net.ErrClosed).
func (b *inbox[T]) get(ctx context.Context) (m T, err error) {
	select {
	case <-b.done:
		return m, net.ErrClosed
	default:
	}
	select { // what is there is given out even if ctx has ended
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

// close wakes who waits; closing twice is allowed.
func (b *inbox[T]) close() { b.once.Do(func() { close(b.done) }) }
