package session

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// Recorder writes every packet of a session to a capture file, in order of
// their numbers: frame #7 is packet #7. It never makes the link wait. If the
// file does not take the packets, recording stops for good, the reason is
// reported once, and the session continues.
//
// Packets are written as soon as they come. If the server is killed, only the
// last moment is missing from the file. If the machine loses power, data that
// the system had not yet stored may be lost.
type Recorder struct {
	path   string
	file   sink
	report func(error)
	bound  int           // bytes that may wait to be written
	ended  chan struct{} // closed when write has returned

	mu      sync.Mutex // guards everything below; not held while writing to the file
	changed *sync.Cond // signals that there may be something to write
	waiting []recorded // not yet in the file, in order of number
	size    int        // bytes of packets not yet in the file, including those being written
	last    int        // number of the last packet accepted
	open    int        // number of the packet that the device has not yet taken or refused; 0 means none
	packets int        // in the file
	stopped error      // why no more packets are accepted
	closing bool       // no more packets come
}

// sink is the destination of a recording: an *os.File.
type sink interface {
	Write(p []byte) (int, error)
	Truncate(size int64) error
	Close() error
}

// recorded is a packet that waits for the file.
type recorded struct {
	*Packet
	failed error // why the device did not take it, or nil
}

const (
	recordWaiting  = 64 << 20        // Recorder.bound
	recordOverhead = 256             // approximate memory of a packet besides its data, in bytes
	recordChunk    = 256 << 10       // approximate size of one write, in bytes
	closePatience  = 5 * time.Second // how long Close waits for the file
)

// newRecorder starts a recording. It writes header and starts the goroutine
// that writes the packets.
func newRecorder(file sink, path string, header []byte, bound int, report func(error)) (*Recorder, error) {
	if _, err := file.Write(header); err != nil {
		return nil, err
	}
	r := &Recorder{path: path, file: file, report: report, bound: bound, ended: make(chan struct{})}
	r.changed = sync.NewCond(&r.mu)
	go r.write(int64(len(header)))
	return r, nil
}

// add accepts the next packet. Packets come in order of number. A written
// packet is held back until settle reports its fate. A nil Recorder records
// nothing.
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
		// Waiting packets are still written, if the file ever takes them. The
		// caller is the link, which must not wait for the report.
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

// settle records that the device took a written packet, or why it did not.
func (r *Recorder) settle(p *Packet, failed error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open != p.Number {
		return // it was not accepted, or the recording has ended meanwhile
	}
	r.waiting[r.open-r.waiting[0].Number].failed = failed
	r.open = 0
	r.changed.Signal()
}

// stop ends the recording for good and returns the reason to report, or nil if
// it had already ended. r.mu is held.
func (r *Recorder) stop(last int, why error) error {
	if r.stopped != nil {
		return nil
	}
	r.stopped = fmt.Errorf("recording to %s has stopped: %w; no packet after #%d is in it; the session continues without it, and to record again, start a server with another --record", r.path, why, last)
	return r.stopped
}

// take waits for packets that can be written and returns them. It returns none
// when no more will come.
func (r *Recorder) take() []recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.closing {
			r.open = 0 // do not wait for an unsettled packet
		}
		ready := len(r.waiting)
		if r.open > 0 {
			ready = r.open - r.waiting[0].Number
		}
		if ready > 0 {
			batch := r.waiting[:ready:ready]
			r.waiting = r.waiting[ready:]
			if len(r.waiting) == 0 {
				r.waiting = nil // release what was written
			}
			return batch
		}
		if r.closing || r.stopped != nil && r.open == 0 {
			return nil
		}
		r.changed.Wait()
	}
}

// close ends the recording once all waiting packets are in the file. It gives
// up after closePatience if the file does not take them.
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
		r.fail(fmt.Errorf("the file did not take the last packets within %v", closePatience))
		_ = r.file.Close() // wakes a blocked write to a pipe
	}
}

// Recording is the part of a status about a recording.
type Recording struct {
	Path    string `json:"path"`              //
	Packets int    `json:"packets"`           // in the file so far, #1 to this one
	Stopped string `json:"stopped,omitempty"` // says that recording stopped, why, and what to do
	Why     string `json:"why,omitempty"`     // only the cause
}

// recording returns the current state of the recording, or nil if there is
// none.
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
