package session

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/packet"
)

// write writes what comes until there is no more or the file fails. The file
// has offset bytes.
func (r *Recorder) write(offset int64) {
	defer close(r.ended)
	var chunk []byte
	var ends []int // of the packets in chunk
	var err error
	for batch := r.take(); len(batch) > 0 && err == nil; {
		chunk, ends = chunk[:0], ends[:0]
		for len(ends) < len(batch) && len(chunk) < recordChunk {
			chunk = batch[len(ends)].captured().AppendTo(chunk)
			ends = append(ends, len(chunk))
		}
		var n int
		n, err = r.file.Write(chunk)
		whole, _ := slices.BinarySearch(ends, n+1) // how many end within n bytes
		if whole > 0 {
			offset += int64(ends[whole-1])
		}
		r.wrote(batch[:whole])
		if batch = batch[whole:]; len(batch) == 0 && err == nil {
			batch = r.take()
		}
	}
	if err != nil {
		_ = r.file.Truncate(offset) // readers complain about half a packet; a pipe cannot do it
	}
	if closing := r.file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		r.fail(err)
	}
}

// wrote notes that packets are in the file.
func (r *Recorder) wrote(packets []recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets += len(packets)
	for _, p := range packets {
		r.size -= len(p.Data) + recordOverhead
	}
}

// fail ends the recording because of the file, lets go of all that waits for
// it, and reports.
func (r *Recorder) fail(why error) {
	r.mu.Lock()
	report := r.stop(r.packets, why)
	r.waiting, r.size, r.open = nil, 0, 0
	r.mu.Unlock()
	if report != nil {
		r.report(report)
	}
}

// captured is the packet as the capture file has it.
func (p recorded) captured() packet.Captured {
	c := packet.Captured{FromPeer: p.Direction == Read, Time: p.Time, Data: p.Data}
	var words []string
	if p.Injected {
		words = append(words, "injected, not sent by the peer's stack")
	}
	if p.ReplyTo != 0 {
		words = append(words, fmt.Sprintf("reply to #%d, %.6f s", p.ReplyTo, p.Response.Seconds()))
	}
	if p.failed != nil {
		words = append(words, "lost, the link did not take it: "+p.failed.Error())
	}
	if len(words) > 0 {
		c.Comment = fmt.Sprintf("#%d %s", p.Number, strings.Join(words, ", "))
	}
	return c
}
