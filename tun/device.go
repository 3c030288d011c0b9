// Package tun is the peer's side of the link: it opens a device at whose far
// end a real TCP/IP stack lives. It moves packets and knows nothing of what
// is inside them.
package tun

// A Device is one end of the point-to-point link between the peer and the
// agent. What the peer sends is read from it; what is written to it the peer
// receives. A packet is one whole IPv4 or IPv6 packet, without any framing.
//
// Read and Write may be called at the same time, each by one goroutine at a
// time. After Close, and after the device has vanished under its holder, both
// return an error that wraps os.ErrClosed, a blocked Read included.
type Device interface {
	// Read waits for the next packet that the peer sends, copies it into p and
	// returns its length in bytes. A p shorter than the packet truncates it:
	// 65,535 bytes hold any packet.
	Read(p []byte) (int, error)

	// Write hands the peer one packet. Success means handed over, never
	// accepted: the peer's stack drops what it finds faulty without a word.
	Write(p []byte) (int, error)

	// Close ends the device. Closing twice is allowed and returns nil.
	Close() error
}
