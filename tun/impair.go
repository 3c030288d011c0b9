package tun

import (
	"bytes"
	"errors"
	"os"
	"sync"
)

// An Impaired is a Device whose link loses, doubles, delays and reorders
// packets, each way by itself.
type Impaired struct {
	inner    Device
	fromPeer *lane
	toPeer   *lane
	arrived  chan []byte   // packets at the end of fromPeer
	ended    chan struct{} // closed when the inner device has ended
	cause    error         // why it has ended; written once, before ended is closed
	busy     sync.WaitGroup

	mu      sync.Mutex // guards pending
	pending error      // of a write whose caller was told that it went well
}

// Impair makes of a device one whose link is as bad as i says. It owns d from
// now on, and three goroutines until Close or the end of d.
//
// A Write never waits for a delay: the packet is on its way when it returns. If
// the device then refuses it, the next Write returns that error instead of
// sending its packet.
func Impair(d Device, i Impairment) *Impaired {
	m := &Impaired{
		inner:    d,
		fromPeer: newLane(i, 0),
		toPeer:   newLane(i, 1),
		arrived:  make(chan []byte),
		ended:    make(chan struct{}),
	}
	m.busy.Go(m.readInner)
	m.busy.Go(func() { m.fromPeer.run(m.ended, m.arrive) })
	m.busy.Go(func() { m.toPeer.run(m.ended, m.writeInner) })
	return m
}

// Unwrap returns the device inside.
func (m *Impaired) Unwrap() Device { return m.inner }

// Counts says what was done to the packets from the peer, and to those to it.
func (m *Impaired) Counts() (fromPeer, toPeer ImpairCounts) {
	return m.fromPeer.counted(), m.toPeer.counted()
}

// readInner moves packets from the device into their lane until it ends.
func (m *Impaired) readInner() {
	buffer := make([]byte, MaxMTU)
	for {
		n, err := m.inner.Read(buffer)
		if err != nil {
			m.cause = err
			close(m.ended)
			return
		}
		m.fromPeer.accept(bytes.Clone(buffer[:n]))
	}
}

// arrive hands a packet to Read.
func (m *Impaired) arrive(packet []byte) {
	select {
	case m.arrived <- packet:
	case <-m.ended:
	}
}

// writeInner hands a packet to the device.
func (m *Impaired) writeInner(packet []byte) {
	if _, err := m.inner.Write(packet); err != nil {
		m.mu.Lock()
		m.pending = err
		m.mu.Unlock()
	}
}

// Read is Device's Read.
func (m *Impaired) Read(p []byte) (int, error) {
	select {
	case <-m.ended:
		return 0, m.cause
	default:
	}
	select {
	case packet := <-m.arrived:
		return copy(p, packet), nil
	case <-m.ended:
		return 0, m.cause
	}
}

// Write is Device's Write.
func (m *Impaired) Write(p []byte) (int, error) {
	select {
	case <-m.ended:
		return m.inner.Write(p) // it has the words for its own end
	default:
	}
	m.mu.Lock()
	err := m.pending
	if !errors.Is(err, os.ErrClosed) {
		m.pending = nil
	}
	m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	m.toPeer.accept(bytes.Clone(p))
	return len(p), nil
}

// Close ends the device inside. Packets that are on their way are lost.
func (m *Impaired) Close() error {
	err := m.inner.Close() // wakes readInner, which ends the rest
	m.busy.Wait()
	return err
}
