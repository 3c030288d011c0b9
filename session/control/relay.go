package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A relay carries what goes over one connection of the peer to and from the
// command that dialled it.
type relay struct {
	caller net.Conn      // the command's
	in     *bufio.Reader // reads from it
	peer   net.Conn
	stream bool          // TCP, not UDP
	ended  func() string // why the session has ended; "": it has not

	writing atomic.Bool // a write to the peer has begun and not succeeded yet
	once    sync.Once
	over    chan struct{} // closed when there is nothing left to relay

	mu   sync.Mutex // held while a frame is written; guards mute
	mute bool       // the last frame was written
}

const (
	maxFaultBytes = 4096                   // of a Fault as JSON: far more than the kernel has to say
	lastWords     = 100 * time.Millisecond // for a frame that says why a session ended
	outdo         = 20 * time.Millisecond  // for one goroutine to say what it knows better
)

func isStream(network string) bool { return strings.HasPrefix(network, "tcp") }

func newRelay(caller net.Conn, in *bufio.Reader, peer net.Conn, stream bool, ended func() string) *relay {
	return &relay{caller: caller, in: in, peer: peer, stream: stream, ended: ended, over: make(chan struct{})}
}

// run relays until one side has ended, or ctx, with the session: then it says
// why. Both connections are closed when it returns.
func (r *relay) run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(r.toPeer)
	both.Go(r.toCaller)
	select {
	case <-r.over:
	case <-ctx.Done():
	}
	if r.ended() != "" {
		_ = r.caller.SetWriteDeadline(time.Now().Add(lastWords)) // also for a frame that is stuck
		r.sayFault(&Fault{faultEnded, r.ended()}, true)
	}
	r.end()
	r.caller.Close()
	r.peer.Close()
	both.Wait()
}

func (r *relay) end() { r.once.Do(func() { close(r.over) }) }

// toPeer hands on what the command sends, until that hangs up.
func (r *relay) toPeer() {
	buffer := make([]byte, maxFrame)
	for {
		kind, data, err := readFrame(r.in, buffer)
		switch {
		case err != nil:
			r.end()
			return
		case kind == frameData && r.stream:
			r.writing.Store(true)
			if _, err := r.peer.Write(data); err != nil {
				r.failed(err)
				return
			}
			r.writing.Store(false)
		case kind == frameData:
			r.writeDatagram(data)
		case kind == frameEnd && r.stream:
			if c, ok := r.peer.(interface{ CloseWrite() error }); ok {
				_ = c.CloseWrite() // of one that was reset, the other goroutine knows
			}
		default:
			r.end()
			return
		}
	}
}

// writeDatagram sends a datagram. A socket tells the fate of an earlier one
// instead of sending the next: that one is then sent all the same.
func (r *relay) writeDatagram(data []byte) {
	_, err := r.peer.Write(data)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) {
		r.sayFault(faultOf(err), false)
		_, err = r.peer.Write(data)
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		r.sayFault(faultOf(err), false)
	}
}

// toCaller hands on what comes to the peer, until the connection's end.
func (r *relay) toCaller() {
	buffer := make([]byte, frameHead+maxFrame)
	for {
		n, err := r.peer.Read(buffer[frameHead:])
		if n > 0 || err == nil && !r.stream {
			r.say(frameData, buffer, n, false)
		}
		switch {
		case err == nil:
		case errors.Is(err, net.ErrClosed), r.ended() != "":
			return // run knows, or is about to
		case r.stream && err == io.EOF:
			// A reset is told to only one of Read and Write; to the other it
			// looks like an orderly end.
			if !r.writing.Load() || !r.outdone() {
				r.say(frameEnd, buffer, 0, false)
			}
			return
		case r.stream:
			r.failed(err)
			return
		default:
			f := faultOf(err)
			r.sayFault(f, f.Kind == faultOther)
			if f.Kind == faultOther { // it might come again at once, and for ever
				r.end()
				return
			}
		}
	}
}

// failed ends a TCP connection with the error of Read or Write.
func (r *relay) failed(err error) {
	if errors.Is(err, net.ErrClosed) || r.ended() != "" || errors.Is(err, syscall.EPIPE) && r.outdone() {
		return
	}
	r.sayFault(faultOf(err), true)
	r.end()
}

// outdone waits a moment for the other goroutine to end the relay: it may know
// the true reason.
func (r *relay) outdone() bool {
	wait := time.NewTimer(outdo)
	defer wait.Stop()
	select {
	case <-r.over:
		return true
	case <-wait.C:
		return false
	}
}

// sayFault writes a frame with a fault.
func (r *relay) sayFault(f *Fault, last bool) {
	data, err := json.Marshal(f)
	if err != nil || len(data) > maxFaultBytes {
		data = []byte(`{"kind":"other","text":"an error too long to say"}`)
	}
	r.say(frameFault, append(make([]byte, frameHead, frameHead+len(data)), data...), len(data), last)
}

// say writes a frame to the command: the n bytes after the room for the head.
func (r *relay) say(kind byte, frame []byte, n int, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mute {
		return
	}
	putHead(frame, kind, n)
	_, err := r.caller.Write(frame[:frameHead+n])
	r.mute = last || err != nil
	if err != nil {
		r.end()
	}
}
