package session

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// Recorder writes every packet of a session into a capture file, in the order
// of their numbers: frame #7 is packet #7. It never makes the link wait. If
// the file does not take the packets, recording stops for good, the reason is
// reported once, and the session goes on.
//
// Packets are written as soon as they come. A server that is killed has all
// but the last moment in the file; a machine that loses its power may lose
// what its system had not yet stored.
type Recorder struct {
	path   string
	file   sink
	report func(error)
	bound  int           // bytes that may wait for the file
	ended  chan struct{} // closed when write has returned

	mu      sync.Mutex // guards everything below; never held while the file is written
	changed *sync.Cond // there may be something to write
	waiting []recorded // not yet in the file, in the order of their numbers
	size    int        // bytes of packets not yet in the file, those being written included
	last    int        // number of the last packet taken on
	open    int        // number of the packet that the device has not yet taken or refused, 0: none
	packets int        // in the file
	stopped error      // why no more packets are taken on
	closing bool       // no more packets come
}

// sink is where a recording goes: an *os.File.
type sink interface {
	Write(p []byte) (int, error)
	Truncate(size int64) error
	Close() error
}

// recorded is a packet that waits for the file.
type recorded struct {
	*Packet
	failed error // why the device did not take it
}

const (
	recordWaiting  = 64 << 20        // Recorder.bound
	recordOverhead = 256             // bytes in memory of a packet beside its data, about
	recordChunk    = 256 << 10       // bytes in one write, about
	closePatience  = 5 * time.Second // how long Close waits for the file
)

// newRecorder starts a recording: a file that begins with header, and one
// goroutine that writes what comes.
func newRecorder(file sink, path string, header []byte, bound int, report func(error)) (*Recorder, error) {
	if _, err := file.Write(header); err != nil {
		return nil, err
	}
	r := &Recorder{path: path, file: file, report: report, bound: bound, ended: make(chan struct{})}
	r.changed = sync.NewCond(&r.mu)
	go r.write(int64(len(header)))
	return r, nil
}

// add takes on the next packet. Packets come in the order of their numbers; a
// written one is held back until settle has told what became of it. A nil
// Recorder records nothing.
func (r *Recorder) add(p *Packet) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != nil || r.closing {
		return
	}
	size := len(p.Data) + recordOverhead
	if r.size+size > r.bound {
		// What waits is still written, if the file ever takes it. The link,
		// which is held up here, must not wait for the report.
		go r.report(r.stop(r.last, fmt.Errorf("%d bytes wait for the file, which does not take packets as fast as they come; record to a faster disk", r.size)))
		return
	}
	r.size += size
	r.last = p.Number
	r.waiting = append(r.waiting, recorded{Packet: p})
	if p.Direction == Write {
		r.open = p.Number
		return
	}
	r.changed.Signal()
}

// settle tells that the device took a written packet, or why it did not.
func (r *Recorder) settle(p *Packet, failed error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open != p.Number {
		return // it was not taken on, or the recording has ended meanwhile
	}
	r.waiting[r.open-r.waiting[0].Number].failed = failed
	r.open = 0
	r.changed.Signal()
}

// stop ends the recording for good and returns what to report, nothing if it
// had ended before. r.mu is held.
func (r *Recorder) stop(last int, why error) error {
	if r.stopped != nil {
		return nil
	}
	r.stopped = fmt.Errorf("recording to %s has stopped: %w; no packet after #%d is in it; the session goes on, and a server started with another --record records again", r.path, why, last)
	return r.stopped
}

// take waits for packets that can be written and returns them, none when no
// more are to come.
func (r *Recorder) take() []recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.closing {
			r.open = 0 // what is not settled by now is not waited for
		}
		ready := len(r.waiting)
		if r.open > 0 {
			ready = r.open - r.waiting[0].Number
		}
		if ready > 0 {
			batch := r.waiting[:ready:ready]
			r.waiting = r.waiting[ready:]
			if len(r.waiting) == 0 {
				r.waiting = nil // lets go of what was written
			}
			return batch
		}
		if r.closing || r.stopped != nil && r.open == 0 {
			return nil
		}
		r.changed.Wait()
	}
}

// close ends the recording when all that waits is in the file. A file that
// does not take it is given up after some seconds.
func (r *Recorder) close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	r.closing = true
	r.changed.Signal()
	r.mu.Unlock()
	select {
	case <-r.ended:
	case <-time.After(closePatience):
		r.fail(fmt.Errorf("what waited at the end was not taken within %v", closePatience))
		_ = r.file.Close() // wakes a write to a pipe
	}
}

// Recording is what a status says of a recording.
type Recording struct {
	Path    string `json:"path"`              //
	Packets int    `json:"packets"`           // in the file so far, #1 to this one
	Stopped string `json:"stopped,omitempty"` // that no more packets are recorded, why, and what to do
	Why     string `json:"why,omitempty"`     // of it the cause alone
}

// recording describes the recording as of now, nil if there is none.
func (r *Recorder) recording() *Recording {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	recording := &Recording{Path: r.path, Packets: r.packets}
	if r.stopped != nil {
		why := errors.Unwrap(r.stopped)
		if file, ok := errors.AsType[*fs.PathError](why); ok {
			why = file.Err
		}
		recording.Stopped, recording.Why = r.stopped.Error(), why.Error()
	}
	return recording
}
