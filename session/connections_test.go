package session

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// Flags of the segments below.
const (
	flagsSYN    = 0x02
	flagsSYNACK = 0x12
	flagsECN    = 0xc2 // SYN with ECE and CWR
	flagsData   = 0x18
)

// theirs is a segment of the peer, from port 5 to port 80.
func theirs(t *testing.T, seq, ack uint32, flags byte, data string) []byte {
	t.Helper()
	b := append(syn(t, 5), data...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint32(b[24:], seq)
	binary.BigEndian.PutUint32(b[28:], ack)
	b[33] = flags
	return fixed(t, b)
}

// ours is a segment of the agent, from port 80 to port 5.
func ours(t *testing.T, seq, ack uint32, flags byte, data string) []byte {
	t.Helper()
	b := theirs(t, seq, ack, flags, data)
	copy(b[12:], []byte{10, 77, 0, 2, 10, 77, 0, 1})
	copy(b[20:], []byte{0, 80, 0, 5})
	return fixed(t, b)
}

// delivers lets a segment come and be read, and returns it.
func delivers(t *testing.T, s *Session, d *tuntest.Device, data []byte) Delivered {
	t.Helper()
	d.FromPeer(data)
	b, err := s.Read(t.Context(), ReadOptions{Timeout: time.Second, Copies: true})
	if err != nil || len(b.Packets) != 1 {
		t.Fatalf("read %q, %v", numbers(b), err)
	}
	return b.Packets[0]
}

// writes writes a segment and checks which one it repeats and which one it answers.
func writes(t *testing.T, s *Session, data []byte, repeats, replyTo int) {
	t.Helper()
	p, err := s.Write(t.Context(), data, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p.Repeats != repeats || p.ReplyTo != replyTo {
		t.Errorf("#%d repeats #%d and answers #%d, want #%d and #%d", p.Number, p.Repeats, p.ReplyTo, repeats, replyTo)
	}
}

// The agent may begin each connection with the same sequence number and send the same
// bytes. In a later connection from the same port they are no retransmissions.
func TestSameBytesInALaterConnection(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for i, isn := range []uint32{100, 50} {
			n := 8 * i // packets so far
			delivers(t, s, d, theirs(t, isn, 0, flagsSYN, ""))
			writes(t, s, ours(t, 1000, isn+1, flagsSYNACK, ""), 0, n+1)
			// Retransmissions of the SYN: with other flags it counts as new, but it is of this connection.
			if p := delivers(t, s, d, theirs(t, isn, 0, flagsSYN, "")); p.Repeats != n+1 {
				t.Errorf("the SYN repeats #%d, want #%d", p.Repeats, n+1)
			}
			delivers(t, s, d, theirs(t, isn, 0, flagsECN, ""))
			writes(t, s, ours(t, 1000, isn+1, flagsSYNACK, ""), n+2, n+1)
			delivers(t, s, d, theirs(t, isn+1, 1001, flagsData, "hello"))
			writes(t, s, ours(t, 1001, isn+6, flagsData, "hello"), 0, n+6)
			writes(t, s, ours(t, 1001, isn+6, flagsData, "hello"), n+7, n+6)
		}
		if r := s.Fill(Status{}).Responses; r.Answered != 4 {
			t.Errorf("%d responses, want those to two SYNs and two requests", r.Answered)
		}
	})
}

// The same, if the handler answers the SYNs and the agent the rest.
func TestSameBytesInALaterConnectionOfTheHandler(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		install(t, s, "def handle(p):\n    return [] if p[33] == 2 else None")
		for i, isn := range []uint32{100, 200} {
			d.FromPeer(theirs(t, isn, 0, flagsSYN, ""))
			delivers(t, s, d, theirs(t, isn+1, 1001, flagsData, "hello"))
			writes(t, s, ours(t, 1001, isn+6, flagsData, "hello"), 0, 3*i+2)
		}
	})
}

// The same, if the agent opens the connections. Its second SYN is no retransmission
// either.
func TestSameBytesInALaterConnectionOfTheAgent(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for i, isn := range []uint32{100, 200} {
			n := 5 * i
			latest := 3 * i // of the peer's flow: what the SYN seems to answer
			writes(t, s, ours(t, 1000, 0, flagsSYN, ""), 0, latest)
			writes(t, s, ours(t, 1000, 0, flagsSYN, ""), n+1, latest)
			delivers(t, s, d, theirs(t, isn, 1001, flagsSYNACK, ""))
			if p := delivers(t, s, d, theirs(t, isn, 1001, flagsSYNACK, "")); p.Repeats != n+3 {
				t.Errorf("the SYN ACK repeats #%d, want #%d", p.Repeats, n+3)
			}
			writes(t, s, ours(t, 1001, isn+1, flagsData, "hello"), 0, n+3)
		}
	})
}

// If the peer sends the same bytes in a later connection, they are new, and end a read.
func TestPeersBytesInALaterConnection(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		hello := theirs(t, 150, 1001, flagsData, "hello")
		delivers(t, s, d, theirs(t, 100, 0, flagsSYN, "")) // #1
		delivers(t, s, d, hello)                           // #2
		d.FromPeer(hello)                                  // #3
		d.FromPeer(theirs(t, 149, 0, flagsSYN, ""))        // #4
		synctest.Wait()
		writes(t, s, ours(t, 1001, 155, flagsData, "hello"), 0, 2) // #5: the SYN was not read yet
		b, err := s.Read(t.Context(), second)
		if err != nil || numbers(b) != "3 4" || b.Packets[0].Repeats != 2 || b.Packets[1].Repeats != 0 {
			t.Fatalf("read %+v, %v", b, err)
		}
		d.FromPeer(hello) // #6
		began := time.Now()
		b, err = s.Read(t.Context(), second)
		if took := time.Since(began); err != nil || numbers(b) != "6" || b.Packets[0].Repeats != 0 || took >= second.Timeout {
			t.Errorf("read %+v after %v, %v; want #6 at once, as new", b, took, err)
		}
		if p := delivers(t, s, d, hello); p.Repeats != 6 {
			t.Errorf("#7 repeats #%d, want #6", p.Repeats)
		}
	})
}

// A connection is forgotten with its SYN, also if only the handler got it.
func TestConnectionsAreForgotten(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		install(t, s, "def handle(p):\n    return []")
		for port := range uint16(RecordPackets + 10) {
			s.receive(syn(t, port), false)
		}
		if len(s.tcp) != RecordPackets {
			t.Errorf("%d connections for %d packets", len(s.tcp), RecordPackets)
		}
		for range RecordPackets {
			s.receive([]byte{0x45}, false)
		}
		if len(s.tcp) != 0 {
			t.Errorf("%d connections are still remembered", len(s.tcp))
		}
	})
}
