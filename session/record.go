package session

import "fmt"

// Bounds of the record: what reply_to, copy and hexdump can still refer to.
const (
	RecordPackets = 4096     // packets
	RecordBytes   = 16 << 20 // bytes of packet data
)

// record keeps the last packets of both directions by number.
type record struct {
	ring  [RecordPackets]entry
	first int // number of the oldest kept; numbers start at 1
	last  int // number of the newest, 0 before the first
	bytes int
}

// entry is a kept packet and what the session remembers with it.
type entry struct {
	packet *Packet
	answer int // number of the first written packet that answered it, or of its last copy; 0 if none has
}

func (r *record) at(number int) *entry { return &r.ring[number%RecordPackets] }

// add keeps p, whose number must be last+1, and calls forget for every packet
// that has to go for it.
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

// find returns the entry of a number. Its error says which numbers there are.
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
