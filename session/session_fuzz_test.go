package session

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// bulk is data as long as the longest packet. It is not a valid packet, so that
// recording it is cheap.
var bulk = make([]byte, packet.MaxLen)

// FuzzSession lets packets arrive, be read and be answered in any order, and checks
// the counters, the queue, the record and the pairs after every step.
//
// Two bytes are a step: an action, and the packet or number of packets.
func FuzzSession(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 2, 0, 4, 0, 4, 1})             // read and answered
	f.Add([]byte{0, 3, 0, 3, 4, 8, 2, 3, 2, 3})             // a segment, its copy, two answers
	f.Add([]byte{0, 0, 1, 255, 1, 255, 4, 9, 2, 0, 3, 1})   // forgotten because of the bytes of later packets
	f.Add([]byte{0, 0, 5, 255, 5, 255, 3, 1, 4, 255, 2, 0}) // forgotten because of the number of later packets
	f.Add([]byte{6, 0, 7, 2, 4, 0, 2, 5, 3, 0, 3, 255})
	f.Fuzz(func(t *testing.T, steps []byte) {
		peer := tuntest.NewDevice()
		m := model{Session: New(peer, Config{Queue: 5})}
		defer m.Close()
		packets := [][]byte{echo(t, 8, 1, 1), echo(t, 8, 1, 2), echo(t, 0, 1, 1), syn(t, 5), {0x45}, steps}
		for i := 0; i+1 < min(len(steps), 128); i += 2 {
			argument := int(steps[i+1])
			which := packets[argument%len(packets)]
			switch steps[i] % 8 {
			case 0:
				m.come(which)
			case 1:
				for range argument {
					m.come(bulk)
				}
			case 2:
				m.write(t, which, 0)
			case 3:
				m.write(t, which, argument)
			case 4:
				m.read(t, t.Context(), ReadOptions{Max: argument % 16, Copies: argument >= 128})
			case 5:
				for range min(argument*20, 2*RecordPackets-m.last) { // negative means none
					m.come([]byte{0x45})
				}
			case 6:
				m.Refused(which, argument, errors.New("for a reason"))
				m.refused++
			case 7:
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				m.read(t, ctx, ReadOptions{Max: argument})
			}
			m.check(t)
		}
		m.checkRecord(t)
	})
}

// model is the expected state of a session.
type model struct {
	*Session
	last, answered              int
	queue                       []int // numbers
	received, dropped           uint64
	written, refused, delivered uint64
}

func (m *model) come(data []byte) {
	m.last++
	m.received++
	if m.queue = append(m.queue, m.last); len(m.queue) > 5 {
		m.queue = m.queue[1:]
		m.dropped++
	}
	m.receive(data, false)
}

func (m *model) write(t *testing.T, data []byte, replyTo int) {
	t.Helper()
	fits := m.CheckLink(data) == nil && (replyTo == 0 || m.CheckReplyTo(replyTo) == nil)
	p, err := m.Write(t.Context(), data, replyTo)
	if (err == nil) != fits {
		t.Fatalf("written: %v, but it fits: %v", err, fits)
	}
	if err != nil {
		return
	}
	m.last++
	m.written++
	if p.Number != m.last || !bytes.Equal(p.Data, data) || p.Response < 0 || replyTo != 0 && p.ReplyTo != replyTo || p.ReplyTo >= p.Number {
		t.Errorf("written as %+v, want #%d in reply to #%d", p, m.last, replyTo)
	}
	if p.ReplyTo == 0 {
		return
	}
	m.answered++
	// A packet found by its flow alone must also match. A repeat answers the same packet as before.
	if request, err := m.Packet(p.ReplyTo); err == nil && replyTo == 0 && p.Repeats == 0 {
		asked, ok := packet.FlowOf(request.Data)
		if answers, ok2 := packet.AnswersTo(data); !ok || !ok2 || asked != answers || request.Direction != Read {
			t.Errorf("%x counts as the answer to %x", data, request.Data)
		}
	}
}

func (m *model) read(t *testing.T, ctx context.Context, o ReadOptions) {
	t.Helper()
	b, err := m.Read(ctx, o)
	if ctx.Err() != nil {
		if !errors.Is(err, context.Canceled) || len(b.Packets) > 0 {
			t.Errorf("a cancelled read took %d packets, %v", len(b.Packets), err)
		}
		return
	}
	fresh, most := 0, max(o.Max, 1)
	for i, p := range b.Packets {
		if i >= len(m.queue) || p.Number != m.queue[i] || p.Repeats >= p.Number || p.Waited < 0 {
			t.Fatalf("read #%d, a repetition of #%d, with %v in the queue", p.Number, p.Repeats, m.queue)
		}
		if p.Repeats == 0 || o.Copies {
			fresh++
		}
	}
	all := len(b.Packets) == len(m.queue)
	if err != nil || fresh > most || !all && fresh < most && len(b.Packets) < maxCopies*most {
		t.Errorf("read %d of %d packets, %d of them new, want at most %d; %v", len(b.Packets), len(m.queue), fresh, most, err)
	}
	m.queue = slices.Clone(m.queue[len(b.Packets):])
	m.delivered += uint64(len(b.Packets))
}

func (m *model) check(t *testing.T) {
	t.Helper()
	want := Counters{Received: m.received, Delivered: m.delivered, Queued: uint64(len(m.queue)), Dropped: m.dropped, Written: m.written, Refused: m.refused}
	c := m.Counters()
	if c != want || c.Received != c.Delivered+c.Queued+c.Dropped {
		t.Fatalf("%+v, want %+v", c, want)
	}
	if r := m.Fill(Status{}).Responses; r.Answered > m.answered || r.Min > r.Median || r.Median > r.Max {
		t.Errorf("%+v of %d answers", r, m.answered)
	}
}

// checkRecord checks that the record is within its bounds, and that nothing else
// remembers a forgotten packet.
func (m *model) checkRecord(t *testing.T) {
	t.Helper()
	r, size := &m.record, 0
	for number := max(r.first, 1); number <= r.last; number++ {
		p, err := m.Packet(number)
		if err != nil || p.Number != number {
			t.Fatalf("#%d of #%d to #%d: %+v, %v", number, r.first, r.last, p, err)
		}
		size += len(p.Data)
	}
	if r.last != m.last || r.bytes != size || size > RecordBytes || r.last-r.first >= RecordPackets {
		t.Errorf("#%d to #%d of #%d, %d bytes, counted as %d", r.first, r.last, m.last, size, r.bytes)
	}
	for _, number := range []int{-1, 0, r.first - 1, r.last + 1} {
		if _, err := m.Packet(number); err == nil {
			t.Errorf("packet #%d was found outside #%d to #%d", number, r.first, r.last)
		}
	}
	for _, number := range m.pairs.latest {
		if number < r.first || number > r.last {
			t.Errorf("#%d can be answered, but the record starts at #%d", number, r.first)
		}
	}
	for _, segments := range []map[packet.Segment]int{m.shown, m.sent} {
		for _, number := range segments {
			if number < r.first || number > r.last {
				t.Errorf("#%d can be repeated, but the record starts at #%d", number, r.first)
			}
		}
	}
	for _, c := range m.tcp {
		if c.first < r.first || c.first > r.last {
			t.Errorf("#%d began a connection, but the record starts at #%d", c.first, r.first)
		}
	}
}
