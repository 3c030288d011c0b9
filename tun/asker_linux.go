package tun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An asker asks the holder for sockets, one at a time. It only writes to the
// shared socket; the goroutine that reads it passes answers to hear.
type asker struct {
	holder *net.UnixConn
	turn   chan struct{} // a lock of capacity 1 for asking

	mu     sync.Mutex // guards the fields below
	last   uint64     // the id of the latest request
	answer chan given // gets its answer (buffered); nil if nobody waits
}

// given is the holder's answer: a descriptor, or the reason why there is none.
type given struct {
	fd  int
	err error
}

func newAsker(holder *net.UnixConn) *asker {
	return &asker{holder: holder, turn: make(chan struct{}, 1)}
}

// ask returns the descriptor of a new non-blocking socket in the holder's
// network namespace. The caller owns it.
func (a *asker) ask(ctx context.Context, kind socketKind) (fd int, err error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return -1, ctx.Err()
	}
	id, answer := a.expect()
	message, err := json.Marshal(socketRequest{ID: id, socketKind: kind})
	if err != nil {
		return -1, err
	}
	_ = a.holder.SetWriteDeadline(time.Now().Add(askTimeout)) // a stopped holder does not read
	if _, err := a.holder.Write(message); err != nil {
		a.forget(answer)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			err = ending(err.Error()) // the holder no longer reads
		}
		return -1, fmt.Errorf("ask the holder of the private network for a socket: %w; start the server again", err)
	}
	select {
	case g := <-answer:
		return g.fd, g.err
	case <-ctx.Done():
		a.forget(answer)
		return -1, ctx.Err()
	}
}

func (a *asker) expect() (id uint64, answer chan given) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	a.answer = make(chan given, 1)
	return a.last, a.answer
}

// forget gives up waiting for an answer, which may already have come.
func (a *asker) forget(answer chan given) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = nil
	select {
	case g := <-answer:
		if g.err == nil {
			unix.Close(g.fd)
		}
	default:
	}
}

// hear processes a message from the holder and its descriptors. It closes the
// descriptors of an answer that nobody waits for.
func (a *asker) hear(message []byte, fds []int) {
	var said socketAnswer
	err := json.Unmarshal(message, &said)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil && said.ID == a.last && a.answer != nil {
		g := given{fd: -1}
		switch {
		case said.Errno != 0:
			g.err = os.NewSyscallError("socket", said.Errno)
		case len(fds) == 0: // the kernel drops descriptors over this process's limit
			g.err = errors.New("the holder's socket did not arrive; close some descriptors of this process, or allow more with ulimit -n")
		default:
			g.fd, fds = fds[0], fds[1:]
		}
		a.answer <- g
		a.answer = nil
	}
	for _, fd := range fds {
		unix.Close(fd)
	}
}
