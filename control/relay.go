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

// A relay copies data between one connection of the peer and the command that
// dialled it.
type relay struct {
	caller net.Conn      // connection to the command
	in     *bufio.Reader // reads from it
	peer   net.Conn
	stream bool          // TCP, not UDP
	ended  func() string // why the session has ended, or ""

	writing atomic.Bool // a write to the peer has started and not yet succeeded
	once    sync.Once
	over    chan struct{} // closed when there is nothing left to relay

	mu   sync.Mutex // held while a frame is written; guards mute
	mute bool       // the last frame was written
}

const (
	maxFaultBytes = 4096                   // limit of a Fault as JSON, far above any kernel error
	lastWords     = 100 * time.Millisecond // time limit for a frame that says why a session ended
	errorWait     = 20 * time.Millisecond  // how long one goroutine waits for the other's better error
)

func isStream(network string) bool { return strings.HasPrefix(network, "tcp") }

func newRelay(caller net.Conn, in *bufio.Reader, peer net.Conn, stream bool, ended func() string) *relay {
	return &relay{caller: caller, in: in, peer: peer, stream: stream, ended: ended, over: make(chan struct{})}
}

// run relays until one side ends, or the session ends and with it ctx; then it
// sends the reason. It closes both connections before it returns.
func (r *relay) run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(r.toPeer)
	both.Go(r.toCaller)
	select {
	case <-r.over:
	case <-ctx.Done():
	}
	if r.ended() != "" {
		_ = r.caller.SetWriteDeadline(time.Now().Add(lastWords)) // also unblocks a frame being written
		r.sayFault(&Fault{faultEnded, r.ended()}, true)
	}
	r.end()
	r.caller.Close()
	r.peer.Close()
	both.Wait()
}

func (r *relay) end() { r.once.Do(func() { close(r.over) }) }

// toPeer forwards what the command sends, until the command closes the
// connection.
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
				_ = c.CloseWrite() // the other goroutine reports a reset
			}
		default:
			r.end()
			return
		}
	}
}

// writeDatagram sends a datagram. A socket may return the error of an earlier
// datagram instead of sending this one, so it is then sent again.
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

// toCaller forwards what the peer receives, until the connection ends.
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
			return // run sees the end too
		case r.stream && err == io.EOF:
			// Only one of Read and Write gets the reset; the other sees an
			// orderly end.
			if !r.writing.Load() || !r.endedByOther() {
				r.say(frameEnd, buffer, 0, false)
			}
			return
		case r.stream:
			r.failed(err)
			return
		default:
			f := faultOf(err)
			r.sayFault(f, f.Kind == faultOther)
			if f.Kind == faultOther { // it might repeat at once and forever
				r.end()
				return
			}
		}
	}
}

// failed ends a TCP connection with the error of Read or Write.
func (r *relay) failed(err error) {
	if errors.Is(err, net.ErrClosed) || r.ended() != "" || errors.Is(err, syscall.EPIPE) && r.endedByOther() {
		return
	}
	r.sayFault(faultOf(err), true)
	r.end()
}

// endedByOther waits a moment for the other goroutine to end the relay, since it may
// have the real error.
func (r *relay) endedByOther() bool {
	wait := time.NewTimer(errorWait)
	defer wait.Stop()
	select {
	case <-r.over:
		return true
	case <-wait.C:
		return false
	}
}

// sayFault sends a fault frame.
func (r *relay) sayFault(f *Fault, last bool) {
	data, err := json.Marshal(f)
	if err != nil || len(data) > maxFaultBytes {
		data = []byte(`{"kind":"other","text":"an error that is too long to send"}`)
	}
	r.say(frameFault, append(make([]byte, frameHead, frameHead+len(data)), data...), len(data), last)
}

// say sends a frame to the command: the n bytes after the space for the header.
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
