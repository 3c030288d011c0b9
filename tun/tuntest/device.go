// Package tuntest has test helpers for the peer's side of a link, such as a fake device
// made of channels and access to a private network.
package tuntest

import (
	"os"
	"slices"
	"sync"
)

// capacity is how many packets a Device buffers in each direction before the
// sender blocks.
const capacity = 4096

// A Device is a fake tun.Device whose peer is the test itself. It uses only channels, so
// it works inside testing/synctest.
type Device struct {
	// ToPeer receives a copy of each packet written to the device, in order. It is
	// never closed. It buffers 4,096 packets; after that, Write waits.
	ToPeer <-chan []byte

	toPeer   chan []byte
	fromPeer chan []byte
	ended    chan struct{}

	once  sync.Once
	cause error // set once, before ended is closed; read only after that
}

// NewDevice returns an open Device.
func NewDevice() *Device {
	toPeer := make(chan []byte, capacity)
	return &Device{
		ToPeer:   toPeer,
		toPeer:   toPeer,
		fromPeer: make(chan []byte, capacity),
		ended:    make(chan struct{}),
	}
}

// FromPeer sends a copy of packet as if from the peer, for Read to return. It waits while
// 4,096 packets are unread. After the end of the device, packets are lost, as on a real
// one.
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

// Read implements tun.Device. When the device ends, unread packets are lost.
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

// Write implements tun.Device. It sends a copy of p to ToPeer.
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

// Close ends the device: waiting and later Reads and Writes return os.ErrClosed.
func (d *Device) Close() error {
	d.end(os.ErrClosed)
	return nil
}

// Fail ends the device as if it had broken: waiting and later Reads and Writes return
// err. After Close it does nothing.
func (d *Device) Fail(err error) { d.end(err) }

func (d *Device) end(cause error) {
	d.once.Do(func() {
		d.cause = cause
		close(d.ended)
	})
}
