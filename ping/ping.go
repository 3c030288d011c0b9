// Package ping asks a host for echoes and measures how long each takes, with
// the words that iputils' ping has for it.
package ping

import (
	"net/netip"
	"time"
)

// MaxSize and MaxSize6 are the longest payloads of an echo request in IPv4 and
// IPv6, in bytes: 65,535 without the headers of IPv4 (20) and ICMP (8), and
// without that of ICMPv6 (8) alone, since IPv6 does not count its own.
const (
	MaxSize  = 65507
	MaxSize6 = 65527
)

// DefaultWait is how long ping waits for a first answer.
const DefaultWait = 10 * time.Second

// Config says how to ping.
type Config struct {
	To       netip.Addr    // who is asked
	Count    int           // requests to send; zero: until told to stop
	Interval time.Duration // from one request to the next; zero: as fast as replies come, or 100 a second, whichever is more
	Wait     time.Duration // after the last request, for a first reply; zero: for ever
	Size     int           // of the payload, in bytes
	Flood    bool          // a dot for a request, a backspace for a reply
	Quiet    bool          // only the head and the summary
}

// A Socket sends echo requests to one host and receives what comes back. Send
// and Receive are called from one goroutine each. Close wakes both; it may be
// called twice, at the same time even.
type Socket interface {
	// Send sends one echo request.
	Send(seq uint16, payload []byte) error

	// Receive waits for the next message about this socket's requests. An
	// error that is not an *Unsent is the end of the socket.
	Receive() (Message, error)

	Close() error
}

// A Message is an echo reply, or an ICMP error about an echo request.
type Message struct {
	From        netip.Addr    // who sent it
	Type, Code  int           // of ICMP, or of ICMPv6 if From is an IPv6 address
	Seq         uint16        // of the request
	TTL         int           // as it arrived; IPv6: the hop limit; zero: not known
	Data        []byte        // reply: what was echoed
	MTU         int           // "packet too big": what would fit
	BadChecksum bool          // the ICMP checksum is wrong
	RTT         time.Duration // since the latest request of this Seq was sent
}

// IsReply tells an echo reply from an error.
func (m Message) IsReply() bool {
	if m.From.Is4() {
		return m.Type == typeEchoReply
	}
	return m.Type == typeEchoReply6
}

// Types of ICMP (RFC 792) and ICMPv6 (RFC 4443).
const (
	typeEchoReply  = 0
	typeEchoReply6 = 129
)

// An Unsent says that a request did not get onto the link.
type Unsent struct {
	Seq uint16
	Err error
}

func (u *Unsent) Error() string { return u.Err.Error() }

func (u *Unsent) Unwrap() error { return u.Err }
