package scenario

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// An agent that answers all noise is wrong where RFC 1122 requires silence, and only
// there.
func TestPermitted(t *testing.T) {
	f := &traffic.Peer{Status: session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2"}, Rand: rand.New(rand.NewPCG(1, 1))}
	for _, test := range []struct {
		name   string
		source []byte // of the answer; nil means the request's destination
		free   []string
	}{
		{"from its own address", f.AgentAddress(), []string{judge.ToMulticast, judge.ToBroadcast}},
		{"from the group", nil, nil},
	} {
		now := time.Now()
		ask := func(number int, name string, leave bool, data []byte) (judge.Request, []session.Event) {
			answer := bytes.Clone(data)
			copy(answer[12:], data[16:20])
			copy(answer[16:], data[12:16])
			if test.source != nil {
				copy(answer[12:], test.source)
			}
			answer[20] = 0
			if fixed, err := packet.Fix(answer); err == nil {
				answer = fixed
			}
			return judge.Request{N: number, Name: name, Sent: now, Leave: leave, Numbers: []int{number}, Packets: [][]byte{data}}, []session.Event{
				{Event: session.EventPacket, Number: number, Time: now, Direction: session.Read, Hex: hex.EncodeToString(data), Injected: true},
				{Event: session.EventDelivered, Number: number, Time: now},
				{Event: session.EventPacket, Number: 1000 + number, Time: now, Direction: session.Write, Hex: hex.EncodeToString(answer), ReplyTo: number},
			}
		}
		request, events := ask(1, judge.ToAnswer+"1", false, f.Craft(traffic.IPv4{Protocol: 1, Payload: traffic.ICMPEcho(8, 1, 1, f.Random(8))}))
		requests := []judge.Request{request}
		for i, noise := range noises(f) {
			request, more := ask(i+2, noise.name, true, noise.data)
			requests, events = append(requests, request), append(events, more...)
		}
		for _, x := range judge.Noise(requests, events, time.Minute) {
			want := score.Wrong
			if x.N == 1 || slices.Contains(test.free, x.Name) {
				want = score.Right
			}
			if x.Outcome != want {
				t.Errorf("answered %s, %s: %s (%s), want %s", test.name, x.Name, x.Outcome, x.Detail, want)
			}
		}
	}
}

// A host may report that it does not know a protocol, once, if it quotes the packet and
// makes no mistake.
func TestPermittedProtocolUnreachable(t *testing.T) {
	f := &traffic.Peer{Status: session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2"}, Rand: rand.New(rand.NewPCG(1, 1))}
	asked := f.Craft(traffic.IPv4{Protocol: 253, Payload: f.Random(24)})
	answer := func(code byte, quote []byte) []byte {
		return f.Craft(traffic.IPv4{Src: f.AgentAddress(), Dst: f.PeerAddress(), Protocol: 1, Payload: append([]byte{3, code, 0, 0, 0, 0, 0, 0}, quote...)})
	}
	damaged := func(damage func(b []byte)) []byte {
		b := answer(2, asked)
		damage(b)
		return b
	}
	sealed := func(change func(b []byte)) []byte {
		b, err := packet.Fix(damaged(change))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, test := range []struct {
		answer []byte
		times  int
		want   bool
	}{
		{answer(2, asked), 1, true},
		{answer(2, asked), 2, false},
		{answer(2, asked[:28]), 1, true},
		{answer(2, asked[:27]), 1, false},
		{answer(3, asked), 1, false},
		{answer(2, answer(2, asked)), 1, false},
		{damaged(func(b []byte) { b[10] ^= 0x55 }), 1, false},
		{damaged(func(b []byte) { b[22] ^= 0x77 }), 1, false},
		{sealed(func(b []byte) { b[8] = 0 }), 1, false},
		{sealed(func(b []byte) { b[15]++ }), 1, false},
		{sealed(func(b []byte) { b[19]++ }), 1, false},
	} {
		now := time.Now()
		r := judge.Request{N: 1, Name: judge.UnknownProtocol, Sent: now, Leave: true, Numbers: []int{1}, Packets: [][]byte{asked}}
		events := []session.Event{{Event: session.EventPacket, Number: 1, Time: now, Direction: session.Read, Hex: hex.EncodeToString(asked), Injected: true}}
		for i := range test.times {
			events = append(events, session.Event{Event: session.EventPacket, Number: 2 + i, Time: now, Direction: session.Write, Hex: hex.EncodeToString(test.answer), ReplyTo: 1})
		}
		exchanges := judge.Noise([]judge.Request{r}, events, time.Minute)
		if got := exchanges[0].Outcome == score.Right; got != test.want {
			t.Errorf("%x, %d times: %t, want %t", test.answer, test.times, got, test.want)
		}
	}
}
