package agent

import (
	"sync"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// memory keeps the packets that were read for as long as the server may refer to
// them: the server shows a retransmission without its bytes. The earlier segment
// differs from it only in acknowledgment number, window and options, and the stack
// treats it as a duplicate. Answers are also made from these packets.
type memory struct {
	mu    sync.Mutex          // guards all below
	data  map[int][]byte      // by number
	asked map[packet.Flow]int // the number of the last packet of each flow
	order []int               // the numbers, oldest first
	bytes int
}

func newMemory() *memory {
	return &memory{data: make(map[int][]byte), asked: make(map[packet.Flow]int)}
}

// keep adds a packet. Numbers must ascend.
func (m *memory) keep(number int, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data[number] = data
	m.order = append(m.order, number)
	m.bytes += len(data)
	if flow, ok := packet.FlowOf(data); ok {
		m.asked[flow] = number
	}
	for number-m.order[0] >= session.RecordPackets || m.bytes > session.RecordBytes {
		oldest := m.order[0]
		m.bytes -= len(m.data[oldest])
		if flow, ok := packet.FlowOf(m.data[oldest]); ok && m.asked[flow] == oldest {
			delete(m.asked, flow)
		}
		delete(m.data, oldest)
		m.order = m.order[1:]
	}
}

// find returns packet #number, or nil if memory does not have it.
func (m *memory) find(number int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data[number]
}

// Limits for a packet that an answer is made from: its age in packets and its
// length in bytes. The server's record is certain to still hold such packets.
const (
	startAge  = 512
	startSize = 2048
)

// start returns the packet that b answers if b should be made from it: both have
// the same length, and the packet is short and recent. Otherwise data is nil.
func (m *memory) start(b []byte) (number int, data []byte) {
	flow, ok := packet.AnswersTo(b)
	if !ok || len(b) > startSize {
		return 0, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	number = m.asked[flow]
	data = m.data[number]
	if len(data) != len(b) || m.order[len(m.order)-1]-number > startAge {
		return 0, nil
	}
	return number, data
}
