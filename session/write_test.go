package session

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestWriteNumbersAndPairs(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		d.FromPeer(echo(t, 8, 7, 1))
		d.FromPeer(echo(t, 8, 7, 2))
		synctest.Wait()
		if p, err := s.Write(t.Context(), echo(t, 0, 7, 2), 0); err != nil || p.ReplyTo != 0 {
			t.Errorf("%+v, %v, want no ReplyTo: the packet has not been read yet", p, err)
		}
		<-d.ToPeer
		if _, err := s.Read(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1840 * time.Millisecond) // fake time
		tests := []struct {
			name    string
			data    []byte
			replyTo int
			want    Packet
		}{
			{"by its number", echo(t, 0, 9, 9), 1, Packet{Number: 4, ReplyTo: 1, Response: 1840 * time.Millisecond}},
			{"by its flow", echo(t, 0, 7, 2), 0, Packet{Number: 5, ReplyTo: 2, Response: 1840 * time.Millisecond}},
			{"twice", echo(t, 0, 7, 2), 0, Packet{Number: 6, ReplyTo: 2, Response: 1840 * time.Millisecond}},
			{"no such flow", echo(t, 0, 7, 3), 0, Packet{Number: 7}},
		}
		for _, test := range tests {
			p, err := s.Write(t.Context(), test.data, test.replyTo)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			if p.Number != test.want.Number || p.ReplyTo != test.want.ReplyTo || p.Response != test.want.Response {
				t.Errorf("%s: #%d to #%d after %v, want %+v", test.name, p.Number, p.ReplyTo, p.Response, test.want)
			}
			if got := <-d.ToPeer; string(got) != string(test.data) {
				t.Errorf("%s: the device got %x", test.name, got)
			}
		}
		if r := s.Fill(Status{}).Responses; r.Answered != 2 || r.Median != 1840 {
			t.Errorf("response times %+v, want 2 answered: each packet counts once", r)
		}
	})
}

// A packet that the device did not take does not count as an answer.
func TestLostAnswerIsNone(t *testing.T) {
	d := &refuser{Device: tuntest.NewDevice(), why: errors.New("link is down")}
	s := New(d, Config{})
	defer s.Close()
	if _, err := s.Inject(echo(t, 8, 7, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(t.Context(), echo(t, 0, 7, 1), 1); err == nil {
		t.Fatal("the device should not have taken the packet")
	}
	if r := s.Fill(Status{}).Responses; r.Answered != 0 {
		t.Errorf("response times %+v after a lost answer, want none", r)
	}
	d.why = nil
	if _, err := s.Write(t.Context(), echo(t, 0, 7, 1), 1); err != nil {
		t.Fatal(err)
	}
	if r := s.Fill(Status{}).Responses; r.Answered != 1 {
		t.Errorf("response times %+v, want one answer", r)
	}
}

func TestWriteRefuses(t *testing.T) {
	inBubble(t, Config{MTU: 100}, func(t *testing.T, s *Session, d *tuntest.Device) {
		d.FromPeer(echo(t, 8, 7, 1))
		synctest.Wait()
		if _, err := s.Write(t.Context(), echo(t, 0, 7, 1), 0); err != nil {
			t.Fatal(err)
		}
		<-d.ToPeer
		tests := []struct {
			name    string
			data    []byte
			replyTo int
			want    string
		}{
			{"never seen", echo(t, 0, 7, 1), 9, "there is no packet #9: the record holds #1 to #2"},
			{"own packet", echo(t, 0, 7, 1), 2, "packet #2 was written by this side"},
			{"empty", nil, 0, "empty"},
			{"too long", append([]byte{0x45}, make([]byte, 100)...), 0, "MTU"},
		}
		for _, test := range tests {
			if _, err := s.Write(t.Context(), test.data, test.replyTo); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %q", test.name, err, test.want)
			}
		}
		select {
		case p := <-d.ToPeer:
			t.Errorf("the device got %x", p)
		default:
		}
	})
}

func TestRecordForgets(t *testing.T) {
	t.Run("by count", func(t *testing.T) {
		inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
			for i := range RecordPackets + 10 {
				d.FromPeer(echo(t, 8, 1, uint16(i)))
				if i%100 == 99 || i == RecordPackets+9 {
					synctest.Wait()
					if _, err := s.Read(t.Context(), ReadOptions{Max: 100}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := s.Packet(10); err == nil || err.Error() != "packet #10 is forgotten: the record still holds #11 to #4106" {
				t.Errorf("packet 10: %v", err)
			}
			if p, err := s.Packet(11); err != nil || p.Number != 11 {
				t.Errorf("packet 11: %v", err)
			}
			if len(s.pairs.latest) != RecordPackets {
				t.Errorf("%d flows are remembered for %d packets", len(s.pairs.latest), RecordPackets)
			}
		})
	})
	t.Run("by size", func(t *testing.T) {
		inBubble(t, Config{}, func(t *testing.T, s *Session, _ *tuntest.Device) {
			for range 300 {
				if _, err := s.Inject(make([]byte, packet.MaxLen)); err != nil {
					t.Fatal(err)
				}
			}
			if s.record.bytes > RecordBytes || s.record.bytes < RecordBytes-packet.MaxLen {
				t.Errorf("the record has %d bytes, want at most %d", s.record.bytes, RecordBytes)
			}
		})
	})
}

func TestRetransmissionIsNamed(t *testing.T) {
	inBubble(t, Config{Queue: 3}, func(t *testing.T, s *Session, d *tuntest.Device) {
		// #1 is dropped from the queue unread, so #2 is new and #3 repeats it.
		for _, p := range [][]byte{syn(t, 5), syn(t, 5), syn(t, 5), syn(t, 6)} {
			d.FromPeer(p)
		}
		synctest.Wait()
		b, err := s.Read(t.Context(), second)
		if err != nil || numbers(b) != "2 3 4" {
			t.Fatalf("read %q, %v", numbers(b), err)
		}
		if r := [3]int{b.Packets[0].Repeats, b.Packets[1].Repeats, b.Packets[2].Repeats}; r != [3]int{0, 2, 0} {
			t.Errorf("repeats %v, want #3 to repeat #2", r)
		}
		d.FromPeer(syn(t, 5))
		if b, _ = s.Read(t.Context(), second); len(b.Packets) != 1 || b.Packets[0].Repeats != 2 {
			t.Errorf("a later copy: %+v", b.Packets)
		}
		// The copies before the new packet do not count.
		for _, p := range [][]byte{syn(t, 5), syn(t, 5), syn(t, 7)} {
			d.FromPeer(p)
		}
		synctest.Wait()
		if b, _ = s.Read(t.Context(), ReadOptions{Timeout: time.Second, Max: 1}); numbers(b) != "6 7 8" {
			t.Errorf("a read of one packet gave %q, want the new one after two copies: 6 7 8", numbers(b))
		}
	})
}

// Repeats that came before their answer do not end a read. They are delivered with
// the next packet. A repeat that came after its answer ends the read.
func TestAnsweredRepeatsEndNoRead(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		d.FromPeer(syn(t, 5)) // #1
		if b, err := s.Read(t.Context(), second); err != nil || numbers(b) != "1" {
			t.Fatalf("read %q, %v", numbers(b), err)
		}
		d.FromPeer(syn(t, 5)) // #2
		synctest.Wait()
		answer := syn(t, 80)
		if _, err := s.Write(t.Context(), answer, 1); err != nil { // #3
			t.Fatal(err)
		}
		began := time.Now()
		b, err := s.Read(t.Context(), second)
		if waited := time.Since(began); err != nil || numbers(b) != "2" || b.Packets[0].Answer != 3 || waited < second.Timeout {
			t.Errorf("read %q after %v, %v; want #2, answered by #3, at the timeout", numbers(b), waited, err)
		}
		time.AfterFunc(time.Second/2, func() { d.FromPeer(syn(t, 5)) }) // #4: the answer may be lost
		began = time.Now()
		b, err = s.Read(t.Context(), second)
		if waited := time.Since(began); err != nil || numbers(b) != "4" || b.Packets[0].Answer != 3 || waited >= second.Timeout {
			t.Errorf("read %q after %v, %v; want #4 at once", numbers(b), waited, err)
		}
		d.FromPeer(syn(t, 5)) // #5
		synctest.Wait()
		if _, err := s.Write(t.Context(), answer, 0); err != nil { // #6: once more, found by its flow or not
			t.Fatal(err)
		}
		if _, err := s.Write(t.Context(), answer, 1); err != nil { // #7
			t.Fatal(err)
		}
		d.FromPeer(echo(t, 8, 1, 1)) // #8
		b, err = s.Read(t.Context(), second)
		if err != nil || numbers(b) != "5 8" || b.Packets[0].Answer != 7 {
			t.Errorf("read %+v, %v; want #5, answered again by #7, with #8", b, err)
		}
	})
}

// A repeated segment of the agent answers the same packet as before, whatever came
// meanwhile in its flow, and does not count as a response.
func TestWriteOfARepeat(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		data := func(seq byte, flags byte) []byte {
			b := append(syn(t, 5), "hello"...)
			b[3], b[27], b[33] = byte(len(b)), seq, flags
			return fixed(t, b)
		}
		deliver := func(b []byte) {
			t.Helper()
			d.FromPeer(b)
			if b, err := s.Read(t.Context(), second); err != nil || len(b.Packets) != 1 {
				t.Fatalf("read %q, %v", numbers(b), err)
			}
		}
		deliver(data(1, 0x18)) // #1
		reply := append([]byte(nil), data(1, 0x18)...)
		copy(reply[12:], []byte{10, 77, 0, 2, 10, 77, 0, 1})
		copy(reply[20:], []byte{0, 80, 0, 5})
		reply = fixed(t, reply)
		first, err := s.Write(t.Context(), reply, 0) // #2
		if err != nil || first.ReplyTo != 1 || first.Repeats != 0 {
			t.Fatalf("%+v, %v; want an answer to #1", first, err)
		}
		deliver(data(6, 0x10)) // #3
		time.Sleep(10 * time.Second)
		again, err := s.Write(t.Context(), reply, 0) // #4
		if err != nil || again.ReplyTo != 1 || again.Repeats != 2 {
			t.Errorf("%+v, %v; want #2 again, which answers #1", again, err)
		}
		if r := s.Fill(Status{}).Responses; r.Answered != 1 || r.Max > 5000 {
			t.Errorf("%+v; want one response", r)
		}
	})
}

// A later connection with the same ports has its own SYN ACK, even if the agent
// chooses the same sequence number.
func TestSynAckOfALaterConnection(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for i, seq := range []byte{1, 9} {
			b := syn(t, 5)
			b[27] = seq
			d.FromPeer(fixed(t, b))
			if b, err := s.Read(t.Context(), second); err != nil || len(b.Packets) != 1 {
				t.Fatalf("read %q, %v", numbers(b), err)
			}
			answer := syn(t, 80)
			copy(answer[12:], []byte{10, 77, 0, 2, 10, 77, 0, 1})
			copy(answer[20:], []byte{0, 80, 0, 5})
			answer[31], answer[33] = seq+1, 0x12
			p, err := s.Write(t.Context(), fixed(t, answer), 0)
			if err != nil || p.Repeats != 0 || p.ReplyTo != 2*i+1 {
				t.Errorf("%+v, %v; want an answer to #%d", p, err, 2*i+1)
			}
		}
	})
}
