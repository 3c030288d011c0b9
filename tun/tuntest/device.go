// Package tuntest holds what tests need to stand at the peer's side of a
// link: a fake device of channels, and a way into a private network.
package tuntest

import (
	"os"
	"slices"
	"sync"
)

// capacity is how many packets wait in a Device, each way, before the one who
// gives the next has to wait.
const capacity = 4096

// A Device is a fake tun.Device whose peer is the test itself. It is made of
// channels alone, so it may be used inside testing/synctest.
type Device struct {
	// ToPeer gives what was written to the device, a copy of each packet, in
	// order. It is never closed. It holds 4,096 packets; then Write waits.
	ToPeer <-chan []byte

	toPeer   chan []byte
	fromPeer chan []byte
	ended    chan struct{}

	once  sync.Once
	cause error // written once, before ended is closed; read only after that
}

// NewDevice returns a Device that is open.
func NewDevice() *Device {
	toPeer := make(chan []byte, capacity)
	return &Device{
		ToPeer:   toPeer,
		toPeer:   toPeer,
		fromPeer: make(chan []byte, capacity),
		ended:    make(chan struct{}),
	}
}

// FromPeer sends a copy of packet as if from the peer: a Read returns it. It
// waits only while 4,096 packets are unread. What is sent after the device has
// ended is lost, as on a real one.
func (d *Device) FromPeer(packet []byte) {
	packet = slices.Clone(packet)
	select {
	case <-d.ended:
		return
	default:
	}
	select {
	case d.fromPeer <- packet:
	case <-d.ended:
	}
}

// Read is tun.Device's Read. Packets that were still unread when the device
// ended are lost.
func (d *Device) Read(p []byte) (int, error) {
	select {
	case <-d.ended:
		return 0, d.cause
	default:
	}
	select {
	case packet := <-d.fromPeer:
		return copy(p, packet), nil
	case <-d.ended:
		return 0, d.cause
	}
}

// Write is tun.Device's Write: it gives a copy of p to ToPeer.
func (d *Device) Write(p []byte) (int, error) {
	select {
	case <-d.ended:
		return 0, d.cause
	default:
	}
	select {
	case d.toPeer <- slices.Clone(p):
		return len(p), nil
	case <-d.ended:
		return 0, d.cause
	}
}

// Close ends the device: Reads and Writes, waiting or to come, return
// os.ErrClosed.
func (d *Device) Close() error {
	d.end(os.ErrClosed)
	return nil
}

// Fail ends the device as if it had broken: Reads and Writes, waiting or to
// come, return err. After Close it does nothing.
func (d *Device) Fail(err error) { d.end(err) }

func (d *Device) end(cause error) {
	d.once.Do(func() {
		d.cause = cause
		close(d.ended)
	})
}
