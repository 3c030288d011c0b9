// Package session manages a link in use. It numbers and records every packet
// that crosses the link, queues the peer's packets until the agent reads them,
// pairs answers with the packets they answer, and publishes events to watchers.
// Package control serves these to other commands.
package session

import "time"

// Direction is the way a packet crossed the link, seen from the agent.
type Direction string

const (
	Read  Direction = "read"  // sent by the peer, read by the agent
	Write Direction = "write" // sent by the agent, given to the peer
)

// Packet is one packet that crossed the link. It does not change once it has
// its number. Data belongs to the session and must not be modified.
type Packet struct {
	Number    int           // 1 for the first packet of a session, in either direction
	Direction Direction     //
	Time      time.Time     // when it arrived (read) or was handed to the device (write)
	Data      []byte        // the whole packet, from the IP header on
	ReplyTo   int           // written packets: number of the packet it answers, 0 if unknown
	Response  time.Duration // written packets: from the arrival of ReplyTo to Time
	Repeats   int           // written packets: number of an earlier write of the same segment of its TCP connection, or 0
	Handler   bool          // written packets: written by the installed handler, not by a call of the agent
	Injected  bool          // came through the control socket, not from the peer's stack
}
