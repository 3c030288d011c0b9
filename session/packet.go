// Package session is a link in use: it numbers and records every packet that
// crosses the link, queues what the peer sends until the agent reads it, pairs
// answers with what they answer, and tells those who watch. Package control lets
// other commands do so.
package session

import "time"

// Direction says which way a packet crossed the link, seen from the agent.
type Direction string

const (
	Read  Direction = "read"  // sent by the peer, read by the agent
	Write Direction = "write" // sent by the agent, given to the peer
)

// Packet is one packet that crossed the link. It does not change once it has
// its number; Data belongs to the session and must not be written to.
type Packet struct {
	Number    int           // 1 for the first packet of a session, either way
	Direction Direction     //
	Time      time.Time     // when it arrived (read) or was handed over (write)
	Data      []byte        // the whole packet, from the IP header on
	ReplyTo   int           // written packets: the number of the packet answered, 0 if none is known
	Response  time.Duration // written packets: from the arrival of ReplyTo to Time
	Repeats   int           // written packets: the number of the same TCP segment written before, 0 if there is none
	Injected  bool          // came in through the control socket, not from the peer's stack
}
