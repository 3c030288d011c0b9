package judge

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// An agent that answers right is judged right, for any requests in any order and in any
// fragments.
func FuzzJudgeRight(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed, []byte("abcdefgh"))
	}
	f.Add(uint64(1), []byte{})
	f.Add(uint64(2), []byte{0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := newStream()
		s.naming = random.IntN(3)
		data = data[:min(len(data), 2000)]
		var waiting []func()
		for i := range 1 + random.IntN(12) {
			request := randomRequest(random, uint16(i), data)
			n := s.ask(false, request.packets()...)
			waiting = append(waiting, func() {
				reply := echoReply(request)
				reply.hops, reply.id, reply.df = byte(1+random.IntN(255)), random.Uint32(), random.IntN(2) == 0
				reply.size, reply.hopByHop = 8*random.IntN(200), random.IntN(4) == 0
				if reply.options = nil; random.IntN(4) == 0 {
					reply.options = []byte{1, 1, 1, 0}
				}
				reply.tos = byte(random.Uint32())
				s.write(s.requests[n].Numbers[0], reply.packets()...)
			})
			if random.IntN(2) == 0 {
				s.read()
				random.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
				for _, answer := range waiting {
					answer()
				}
				waiting = nil
			}
		}
		s.read()
		for _, answer := range waiting {
			answer()
		}
		got := Echo(s.requests, s.events, time.Minute)
		checkExchanges(t, got)
		for i, x := range got {
			if x.Outcome != score.Right || x.Response <= 0 || x.Tool <= 0 {
				t.Fatalf("exchange %d: %+v", i+1, x)
			}
		}
		for i, x := range Program(s.requests, s.events, 0) {
			if joined(x.Faults) != score.FaultPayload { // no packet is wrong, but the program got no answer
				t.Fatalf("exchange %d: %+v", i+1, x)
			}
		}
	})
}

func randomRequest(random *rand.Rand, seq uint16, data []byte) spelled {
	request := echoRequest(4+2*random.IntN(2), uint16(random.Uint32()), seq, data)
	request.id = random.Uint32()
	for range random.IntN(40) {
		request.body = append(request.body, byte(random.Uint32()))
	}
	if random.IntN(3) == 0 {
		request.size = 8 * (1 + random.IntN(20))
	}
	if random.IntN(4) == 0 {
		request.options = []byte{7, 3, 4, 0}
	}
	request.hopByHop = random.IntN(4) == 0
	return request
}

// The judge does not panic, for any bytes at any time and any order of events.
func FuzzJudgeNoPanic(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed, []byte{0x45, 0, 0, 28, 1, 2, 0x20, 0, 64, 1, 0, 0})
	}
	f.Fuzz(func(t *testing.T, seed uint64, noise []byte) {
		random := rand.New(rand.NewPCG(seed, 1))
		noise = noise[:min(len(noise), 2000)]
		s := newStream()
		for range random.IntN(30) {
			data := randomRequest(random, uint16(random.IntN(4)), noise).packet()
			if random.IntN(2) == 0 {
				data = echoReply(randomRequest(random, uint16(random.IntN(4)), nil)).packet()
			}
			switch random.IntN(4) {
			case 0:
				data = noise
			case 1:
				for range 1 + random.IntN(4) {
					data[random.IntN(len(data))] = byte(random.Uint32())
				}
				data = data[:random.IntN(len(data)+1)]
			}
			s.naming = byNumber
			switch random.IntN(6) {
			case 0:
				s.ask(random.IntN(3) == 0, data, data)
			case 1, 2:
				n := s.ask(random.IntN(3) == 0, data)
				s.requests[n].RoundTrip = time.Duration(random.IntN(3)) * time.Millisecond
			case 3:
				s.read()
			default:
				s.write(random.IntN(s.number+3)-1, data)
			}
			if random.IntN(5) == 0 {
				s.events = append(s.events, session.Event{Event: []string{session.EventFailed, session.EventDropped, session.EventRefused, session.EventPacket}[random.IntN(4)],
					Number: random.IntN(20), ReplyTo: random.IntN(20), Time: s.now, Hex: hex.EncodeToString(noise) + "x"})
			}
		}
		if random.IntN(2) == 0 {
			random.Shuffle(len(s.events), func(i, j int) { s.events[i], s.events[j] = s.events[j], s.events[i] })
		}
		for _, deadline := range []time.Duration{0, time.Millisecond, time.Hour} {
			for _, got := range [][]score.Exchange{Echo(s.requests, s.events, deadline), Program(s.requests, s.events, deadline)} {
				if len(got) != len(s.requests) {
					t.Fatalf("%d exchanges of %d requests", len(got), len(s.requests))
				}
				checkExchanges(t, got)
			}
		}
		score.Ladder(s.events, 10)
	})
}

// The judge and package packet share no code, but find the same packets wrong, except for
// faults that only one of them checks.
func TestJudgeAgreesWithCheck(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for range 50_000 {
		data := make([]byte, random.IntN(30))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		version := 4 + 2*random.IntN(2)
		s := []spelled{
			echoRequest(version, uint16(random.Uint32()), 1, data), datagramOf(version, 5, 6, string(data)),
			segmentOf(version, 5, 6, 2, string(data)), unreachableFor(datagramOf(version, 5, 6, string(data)), 3, 3),
		}[random.IntN(4)]
		s.hops = byte(1 + random.IntN(255))
		b := s.packet()
		for range random.IntN(3) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		if size := int(b[0]&15) * 4; random.IntN(4) == 0 && size >= 20 && size <= len(b) {
			resealed(b)
		}
		var judged findings
		d := readDatagram(b)
		judgePacket(&d, &judged)
		checked := fmt.Sprint(packet.Check(b))
		if strings.Contains(checked, "authentication") || strings.Contains(judged.detail(), "TTL") || strings.Contains(judged.detail(), "reserved") {
			continue
		}
		if (checked == "[]") != (len(judged) == 0) {
			t.Errorf("%x: packet.Check says %s, the judge %v", b, checked, judged)
		}
	}
}
