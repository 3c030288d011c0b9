package session

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// Size of the test: readers and writers that work at once.
const (
	crowd      = 64 // readers, and as many writers
	packetEach = 40 // packets that each writer writes, and that the peer sends for each reader
)

// patience bounds the waits of the test.
const patience = 30 * time.Second

// marked makes an echo request or reply that says who made it.
func marked(t *testing.T, kind byte, who, which int) []byte {
	return echo(t, kind, uint16(who), uint16(which))
}

// mark returns what marked put into a packet.
func mark(b []byte) [2]int {
	return [2]int{int(binary.BigEndian.Uint16(b[24:])), int(binary.BigEndian.Uint16(b[26:]))}
}

// readAll runs many readers until want packets have come, and returns the packets.
// Many of the reads are cancelled.
func readAll(t *testing.T, s *Session, want int) []*Packet {
	t.Helper()
	all, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	var mu sync.Mutex
	var got []*Packet
	var readers sync.WaitGroup
	for i := range crowd {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(i)))
			for all.Err() == nil {
				ctx, cancel := context.WithCancel(all)
				if r.IntN(2) == 0 {
					time.AfterFunc(time.Duration(r.IntN(2000))*time.Microsecond, cancel)
				}
				b, err := s.Read(ctx, ReadOptions{Timeout: time.Hour, Max: 1 + r.IntN(64), Settle: time.Duration(r.IntN(3)) * time.Millisecond})
				cancel()
				if err != nil && len(b.Packets) > 0 {
					t.Errorf("a read gave %d packets and %v", len(b.Packets), err)
				}
				mu.Lock()
				for _, p := range b.Packets {
					got = append(got, p.Packet)
				}
				if len(got) >= want {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	return got
}

// once checks that packets has every packet of the crowd exactly once, by mark and by
// number.
func once(t *testing.T, what string, packets []*Packet, kind byte) {
	t.Helper()
	marks, numbers := map[[2]int]int{}, map[int]int{}
	for _, p := range packets {
		if p.Data[20] != kind {
			t.Errorf("%s: #%d is of type %d", what, p.Number, p.Data[20])
		}
		marks[mark(p.Data)]++
		numbers[p.Number]++
	}
	if len(packets) != crowd*packetEach || len(marks) != len(packets) || len(numbers) != len(packets) {
		t.Errorf("%s: %d packets with %d numbers and %d marks, want %d of each", what, len(packets), len(numbers), len(marks), crowd*packetEach)
	}
}

// writeAll starts many writers of the packets that make returns. The function that it
// returns waits for the writers and returns the written packets.
func writeAll(t *testing.T, s *Session, make func(who, which int) []byte) func() []*Packet {
	t.Helper()
	var mu sync.Mutex
	var written []*Packet
	var writers sync.WaitGroup
	for i := range crowd {
		writers.Go(func() {
			for j := range packetEach {
				p, err := s.Write(t.Context(), make(i, j), 0)
				if err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
				mu.Lock()
				written = append(written, p)
				mu.Unlock()
			}
		})
	}
	return func() []*Packet { writers.Wait(); return written }
}

// With 64 readers and 64 writers at once, each packet goes to one reader, and the
// device gets each written packet once, in order of number. Nothing is lost.
func TestCrowdOnAFakeDevice(t *testing.T) {
	d := tuntest.NewDevice()
	s := New(d, Config{Queue: MaxQueue})
	defer s.Close()
	var peer sync.WaitGroup
	peer.Go(func() {
		for i := range crowd {
			for j := range packetEach {
				d.FromPeer(marked(t, 8, i, j))
			}
		}
	})
	written := writeAll(t, s, func(who, which int) []byte { return marked(t, 0, who, which) })
	once(t, "read", readAll(t, s, crowd*packetEach), 8)
	peer.Wait()
	byMark := map[[2]int]int{}
	all := written()
	for _, p := range all {
		byMark[mark(p.Data)] = p.Number
	}
	once(t, "written", all, 0)
	last := 0
	for range crowd * packetEach {
		number := byMark[mark(<-d.ToPeer)]
		if number <= last {
			t.Fatalf("the device got #%d after #%d", number, last)
		}
		last = number
	}
	if got, want := s.Counters(), (Counters{Received: crowd * packetEach, Delivered: crowd * packetEach, Written: crowd * packetEach}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

// The same with a real stack, which answers each ping once.
func TestCrowdOnAMemoryNetwork(t *testing.T) {
	s := New(tuntest.OpenMemory(t, tun.Config{}), Config{Queue: MaxQueue})
	defer s.Close()
	written := writeAll(t, s, func(who, which int) []byte {
		ping := marked(t, 0, who, which) // from the agent to the peer
		ping[20] = 8
		return fixed(t, ping)
	})
	once(t, "answered", readAll(t, s, crowd*packetEach), 0)
	once(t, "written", written(), 8)
	if got, want := s.Counters(), (Counters{Received: crowd * packetEach, Delivered: crowd * packetEach, Written: crowd * packetEach}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}
