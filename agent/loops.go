package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// readAll are the arguments of read_packet: return all waiting packets at once,
// in full.
var readAll = map[string]int{"timeout_ms": 30000, "max_packets": batchPackets, "settle_ms": 0, "max_bytes": longestPacket}

// read passes packets from read_packet to the head until ctx or the link ends.
func (a *Agent) read(ctx context.Context) error {
	for {
		text, err := a.server.Call(ctx, "read_packet", readAll)
		if err != nil {
			return err
		}
		r, err := parseReadout(text)
		if err != nil {
			return fmt.Errorf("parsing the result of read_packet: %w", err)
		}
		a.count(func(c *Counts) {
			c.Calls, c.Read, c.Dropped = c.Calls+1, c.Read+len(r.packets), max(c.Dropped, r.dropped)
		})
		a.printer.read(r) // before the head's answers
		for _, p := range r.packets {
			data := p.data
			if p.repeats != 0 {
				if data = a.memory.find(p.repeats); data == nil {
					a.complain("packet #%d repeats #%d, which this agent no longer has: it is dropped, and the peer will send it again", p.number, p.repeats)
					continue
				}
			} else {
				a.memory.keep(p.number, data)
			}
			if wrong := a.mistake.answer(data, a.own); wrong != nil {
				select {
				case a.head.sent <- wrong:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			a.head.receive(data)
		}
	}
}

// write passes packets from the head to write_packet until ctx or the server ends.
// It makes one call at a time, since the server may reorder parallel calls.
func (a *Agent) write(ctx context.Context) error {
	for {
		packets := a.batch(ctx)
		if len(packets) == 0 {
			return ctx.Err()
		}
		if a.mistake == score.FaultLate {
			time.AfterFunc(lateBy, func() { _ = a.give(ctx, packets) })
			continue
		}
		for batch := range slices.Chunk(a.mistake.makeAll(packets), batchPackets) {
			if err := a.give(ctx, batch); err != nil {
				return err
			}
		}
	}
}

// give writes packets in one call.
func (a *Agent) give(ctx context.Context, packets [][]byte) error {
	text, err := a.server.Call(ctx, "write_packet", newWriteArguments(a.assist, packets, a.memory))
	var refused *ToolError
	if errors.As(err, &refused) {
		text, err = refused.Text, nil // the text has the reason for each packet
	}
	if err != nil {
		return err
	}
	w, err := parseWriteout(text, len(packets))
	if err != nil {
		return fmt.Errorf("parsing the result of write_packet: %w", err)
	}
	a.count(func(c *Counts) {
		c.Calls, c.Written, c.Refused = c.Calls+1, c.Written+w.count(), c.Refused+len(w.refused)
	})
	a.printer.wrote(w)
	for _, fault := range w.refused {
		a.complain("write_packet refused %s", fault)
	}
	return nil
}

// batch waits for a packet from the head and returns it with all others that are
// ready. It returns none if ctx or the head has ended.
func (a *Agent) batch(ctx context.Context) (packets [][]byte) {
	select {
	case <-ctx.Done():
		return nil
	case p, ok := <-a.head.sent:
		if !ok {
			return nil
		}
		packets = append(packets, p)
	}
	for size := len(packets[0]); len(packets) < batchPackets && size < batchBytes; {
		select {
		case p, ok := <-a.head.sent:
			if !ok {
				return packets
			}
			packets = append(packets, p)
			size += len(p)
		default:
			return packets
		}
	}
	return packets
}
