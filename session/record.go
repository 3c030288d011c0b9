package session

import "fmt"

// Bounds of the record: the packets that reply_to, copy and hexdump can refer
// to.
const (
	RecordPackets = 4096     // packets
	RecordBytes   = 16 << 20 // bytes of packet data
)

// record keeps the last packets of both directions by number.
type record struct {
	ring  [RecordPackets]entry
	first int // number of the oldest kept; numbers start at 1
	last  int // number of the newest; 0 before the first packet
	bytes int
}

// entry is a recorded packet with what the session knows about it.
type entry struct {
	packet *Packet
	failed string // why the handler failed on it, or ""
	answer int    // number of the first written packet that answered it, or of the last copy of that; 0 if none
}

func (r *record) at(number int) *entry { return &r.ring[number%RecordPackets] }

// add records p, whose number must be last+1, and calls forget for every packet
// it displaces.
func (r *record) add(p *Packet, forget func(*Packet)) {
	if r.last == 0 {
		r.first = p.Number
	}
	for r.last >= r.first && r.last > 0 && (r.last-r.first+1 == RecordPackets || r.bytes+len(p.Data) > RecordBytes) {
		old := r.at(r.first)
		forget(old.packet)
		r.bytes -= len(old.packet.Data)
		*old = entry{}
		r.first++
	}
	r.last = p.Number
	r.bytes += len(p.Data)
	*r.at(p.Number) = entry{packet: p}
}

// get returns the entry of a number, or nil if it is not recorded.
func (r *record) get(number int) *entry {
	if number < r.first || number > r.last || r.last == 0 {
		return nil
	}
	return r.at(number)
}

// find is like get, for numbers that the agent named. The error says which numbers are
// recorded.
func (r *record) find(number int) (*entry, error) {
	switch {
	case r.last == 0:
		return nil, fmt.Errorf("there is no packet #%d: no packet has crossed the link yet", number)
	case number > r.last || number < 1:
		return nil, fmt.Errorf("there is no packet #%d: the record holds #%d to #%d", number, r.first, r.last)
	case number < r.first:
		return nil, fmt.Errorf("packet #%d is forgotten: the record still holds #%d to #%d", number, r.first, r.last)
	}
	return r.at(number), nil
}
