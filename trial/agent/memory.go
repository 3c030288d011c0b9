package agent

import "github.com/tun-mcp/tun-mcp/session"

// memory keeps the packets that were read for as long as the server may refer
// to them: a segment that repeats an earlier one is shown without its bytes.
// The copy kept differs from it at most in acknowledgment number, window and
// options; a stack takes it for what it is, a segment that it has seen.
type memory struct {
	data  map[int][]byte // by number
	order []int          // the numbers, oldest first
	bytes int
}

func newMemory() *memory { return &memory{data: make(map[int][]byte)} }

// keep remembers a packet that was read under a number higher than all before.
func (m *memory) keep(number int, data []byte) {
	m.data[number] = data
	m.order = append(m.order, number)
	m.bytes += len(data)
	for number-m.order[0] >= session.RecordPackets || m.bytes > session.RecordBytes {
		oldest := m.order[0]
		m.bytes -= len(m.data[oldest])
		delete(m.data, oldest)
		m.order = m.order[1:]
	}
}
