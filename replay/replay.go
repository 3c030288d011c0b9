// Package replay sends the packets of a capture to the agent of a session, as if the peer had
// sent them.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// A Link is the link on which a capture is replayed.
type Link struct {
	Peer, Agent   netip.Addr
	Peer6, Agent6 netip.Addr // the zero Addr means that IPv6 is off
	MTU           int        // bytes

	// Send gives the agent a packet and returns its number on the link.
	Send func(ctx context.Context, data []byte) (number int, err error)
}

// Options configure a replay.
type Options struct {
	Speed float64       // 2 means twice as fast as captured, 0 means without waiting
	Gap   time.Duration // the longest time between two packets; 0 means as captured
	Count int           // the most packets to send; 0 means all
}

// Counts has what happened to the frames of a capture.
type Counts struct {
	Frames   int    // frames read
	Sent     int    // packets sent
	Other    int    // frames without an IP packet
	Answers  int    // packets left out because the agent plays their sender
	NoIPv6   int    // packets left out because IPv6 is off on the link
	TooLong  int    // packets left out because they exceed the link's MTU
	FirstBig string // text about the first of them
	First    int    // number on the link of the first packet sent
	Last     int    // number on the link of the last packet sent
}

// Run replays a capture until its end, or until it has sent o.Count packets. If the capture
// or link.Send fails or ctx ends, it returns that error with the counts so far.
//
// From a recording of tun-mcp it sends the peer's packets. Other captures have conversations,
// each between two addresses and, for TCP and UDP, two ports. The end that spoke first becomes
// the peer. Packets from the other end are left out, because the agent plays it.
func Run(ctx context.Context, capture *packet.CaptureReader, link Link, o Options) (Counts, error) {
	var counts Counts
	talk := newConversations()
	var began time.Time // of the replay
	var last time.Time  // when the packet before was captured
	var elapsed float64 // nanoseconds of the capture until now, gaps shortened; a Duration would overflow
	for o.Count == 0 || counts.Sent < o.Count {
		p, err := capture.Next()
		counts.Frames, counts.Other = capture.Frame(), capture.Other()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return counts, nil
		}
		if err != nil {
			return counts, err
		}
		if !p.FromPeer || !talk.firstSide(p.Data) {
			counts.Answers++
			continue
		}
		data, ok := packet.Readdress(p.Data, link.Peer, link.Agent)
		if !ok {
			data, ok = packet.Readdress(p.Data, link.Peer6, link.Agent6)
		}
		switch {
		case !ok && link.Agent6.IsValid():
			counts.Other++ // no complete IP header
			continue
		case !ok:
			counts.NoIPv6++
			continue
		case len(data) > link.MTU:
			if counts.TooLong++; counts.FirstBig == "" {
				counts.FirstBig = fmt.Sprintf("frame %d has %d bytes, but the MTU is %d", capture.Frame(), len(data), link.MTU)
			}
			continue
		}
		if began.IsZero() {
			began, last = time.Now(), p.Time
		}
		gap := p.Time.Sub(last)
		if o.Gap > 0 {
			gap = min(gap, o.Gap)
		}
		elapsed += float64(gap)
		last = p.Time
		if o.Speed > 0 {
			due := began.Add(time.Duration(min(max(elapsed/o.Speed, 0), longest)))
			if err := sleep(ctx, time.Until(due)); err != nil {
				return counts, err
			}
		}
		number, err := link.Send(ctx, data)
		if err != nil {
			return counts, fmt.Errorf("sending frame %d: %w", capture.Frame(), err)
		}
		if counts.Sent++; counts.Sent == 1 {
			counts.First = number
		}
		counts.Last = number
	}
	return counts, nil
}

// longest bounds a wait, in nanoseconds: 100 years.
const longest = 100 * 365 * 24 * float64(time.Hour)

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
