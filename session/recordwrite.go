package session

import (
	"slices"

	"github.com/tun-mcp/tun-mcp/packet"
)

// write writes packets until there are no more or the file fails. The file
// already has offset bytes.
func (r *Recorder) write(offset int64) {
	defer close(r.ended)
	var chunk []byte
	var ends []int // end offsets of the packets in chunk
	var err error
	for batch := r.take(); len(batch) > 0 && err == nil; {
		chunk, ends = chunk[:0], ends[:0]
		for len(ends) < len(batch) && len(chunk) < recordChunk {
			chunk = batch[len(ends)].captured().AppendTo(chunk)
			ends = append(ends, len(chunk))
		}
		var n int
		n, err = r.file.Write(chunk)
		whole, _ := slices.BinarySearch(ends, n+1) // how many packets end within n bytes
		if whole > 0 {
			offset += int64(ends[whole-1])
		}
		r.wrote(batch[:whole])
		if batch = batch[whole:]; len(batch) == 0 && err == nil {
			batch = r.take()
		}
	}
	if err != nil {
		_ = r.file.Truncate(offset) // readers complain about half a packet; a pipe cannot be truncated
	}
	if closing := r.file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		r.fail(err)
	}
}

// wrote records that packets are in the file.
func (r *Recorder) wrote(packets []recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets += len(packets)
	for _, p := range packets {
		r.size -= len(p.Data) + recordOverhead
	}
}

// fail ends the recording because of a file error, discards the waiting
// packets, and reports.
func (r *Recorder) fail(why error) {
	r.mu.Lock()
	report := r.stop(r.packets, why)
	r.waiting, r.size, r.open = nil, 0, 0
	r.mu.Unlock()
	if report != nil {
		r.report(report)
	}
}

// captured returns the packet in the form for the capture file.
func (p recorded) captured() packet.Captured {
	return packet.Captured{FromPeer: p.Direction == Read, Time: p.Time, Data: p.Data, Comment: packetEvent(p.Packet).comment(p.failed)}
}
