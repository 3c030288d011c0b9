package tun

import (
	"bytes"
	"errors"
	"os"
	"sync"
)

// An Impaired is a Device whose link loses, duplicates, delays and reorders
// packets, independently in each direction.
type Impaired struct {
	inner    Device
	fromPeer *lane
	toPeer   *lane
	arrived  chan []byte   // packets at the end of fromPeer
	ended    chan struct{} // closed after the inner device has ended
	cause    error         // why it has ended; set once, before ended is closed
	busy     sync.WaitGroup

	mu      sync.Mutex // guards pending
	pending error      // the error of a write that was already reported as successful
}

// Impair wraps d in a link with the impairment i. It takes ownership of d and runs three
// goroutines until Close or until d ends.
//
// Write returns at once, whatever the delay. If d later refuses the packet, the next
// Write returns that error instead of sending its packet.
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

// Unwrap returns the inner device.
func (m *Impaired) Unwrap() Device { return m.inner }

// Counts returns the counters for packets from the peer and to the peer.
func (m *Impaired) Counts() (fromPeer, toPeer ImpairCounts) {
	return m.fromPeer.counted(), m.toPeer.counted()
}

// readInner moves packets from the inner device into their lane until it ends.
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

// arrive passes a packet to Read.
func (m *Impaired) arrive(packet []byte) {
	select {
	case m.arrived <- packet:
	case <-m.ended:
	}
}

// writeInner writes a packet to the inner device.
func (m *Impaired) writeInner(packet []byte) {
	if _, err := m.inner.Write(packet); err != nil {
		m.mu.Lock()
		m.pending = err
		m.mu.Unlock()
	}
}

// Read implements Device.
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

// Write implements Device.
func (m *Impaired) Write(p []byte) (int, error) {
	select {
	case <-m.ended:
		return m.inner.Write(p) // returns the reason
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

// Close closes the inner device. Packets in transit are lost.
func (m *Impaired) Close() error {
	err := m.inner.Close() // wakes readInner, which ends the rest
	m.busy.Wait()
	return err
}
