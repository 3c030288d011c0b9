// Package ping sends echo requests to a host, measures the round trips, and
// prints the output of iputils' ping.
package ping

import (
	"net/netip"
	"time"
)

// MaxSize and MaxSize6 are the longest payloads of an echo request in IPv4 and
// IPv6, in bytes: 65,535 minus the headers of IPv4 (20) and ICMP (8), or minus
// the ICMPv6 header (8) only, because an IPv6 payload length does not include
// the IPv6 header.
const (
	MaxSize  = 65507
	MaxSize6 = 65527
)

// DefaultWait is how long ping waits for the first reply.
const DefaultWait = 10 * time.Second

// Config configures a run.
type Config struct {
	To       netip.Addr    // the host to ping
	Count    int           // requests to send; zero means no limit
	Interval time.Duration // between requests; zero means as fast as replies come, or 100 a second, whichever is faster
	Wait     time.Duration // how long to wait for a first reply after the last request; zero means no limit
	Size     int           // payload size in bytes
	Flood    bool          // print a dot for each request and a backspace for each reply
	Quiet    bool          // print only the first line and the summary
}

// A Socket sends echo requests to one host and receives what comes back. Send
// and Receive are called from one goroutine each. Close wakes both. It may be
// called twice, even concurrently.
type Socket interface {
	// Send sends one echo request.
	Send(seq uint16, payload []byte) error

	// Receive waits for the next message about this socket's requests. After
	// any error but an *Unsent the socket is unusable.
	Receive() (Message, error)

	Close() error
}

// A Message is an echo reply, or an ICMP error about an echo request.
type Message struct {
	From        netip.Addr    // the sender
	Type, Code  int           // ICMP, or ICMPv6 if From is an IPv6 address
	Seq         uint16        // of the request
	TTL         int           // as received (IPv6: hop limit); zero means unknown
	Data        []byte        // in a reply, the echoed payload
	MTU         int           // in "packet too big", the MTU it reports
	BadChecksum bool          // the ICMP checksum is wrong
	RTT         time.Duration // since the latest request with this Seq was sent
}

// IsReply reports whether m is an echo reply, not an error.
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

// An Unsent is the error of a request that could not be sent.
type Unsent struct {
	Seq uint16
	Err error
}

func (u *Unsent) Error() string { return u.Err.Error() }

func (u *Unsent) Unwrap() error { return u.Err }
