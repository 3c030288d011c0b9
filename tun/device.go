// Package tun is the peer's side of the link. It opens a device with a real TCP/IP
// stack at its far end. It moves packets without looking into them.
package tun

// A Device is the agent's end of the point-to-point link to the peer. Read returns the
// peer's packets, and Write sends packets to the peer. A packet is a whole IPv4 or
// IPv6 packet without framing.
//
// Read and Write may run concurrently, but only one Read and one Write at a time. After
// Close, or if the device disappears, both return an error that wraps os.ErrClosed. So
// does a blocked Read.
type Device interface {
	// Read waits for the next packet from the peer, copies it into p and returns its
	// length in bytes. If p is too short, the packet is truncated; 65,535 bytes hold
	// any packet.
	Read(p []byte) (int, error)

	// Write hands one packet to the peer. Success does not mean that the peer accepts
	// it: its stack silently drops faulty packets.
	Write(p []byte) (int, error)

	// Close ends the device. Closing twice is allowed and returns nil.
	Close() error
}
