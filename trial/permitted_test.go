package trial

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
)

// TestPermitted: an agent that answers all noise is wrong wherever RFC 1122
// tells it to be silent, and only there.
func TestPermitted(t *testing.T) {
	f := &Field{Status: session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2"}, Rand: rand.New(rand.NewPCG(1, 1))}
	for _, test := range []struct {
		name   string
		source []byte // of the answer; nil: the request's destination
		free   []string
	}{
		{"from its own address", f.agent(), []string{toMulticast, toBroadcast}},
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
		request, events := ask(1, toAnswer+"1", false, f.craft(ipv4{protocol: 1, payload: icmpEcho(8, 1, 1, f.random(8))}))
		requests := []judge.Request{request}
		for i, noise := range f.noises() {
			request, more := ask(i+2, noise.name, true, noise.data)
			requests, events = append(requests, request), append(events, more...)
		}
		for _, x := range judgeNoise(requests, events, time.Minute) {
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

// TestPermittedProtocolUnreachable: a host may say that it does not know a
// protocol, if it quotes what it means.
func TestPermittedProtocolUnreachable(t *testing.T) {
	f := &Field{Status: session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2"}, Rand: rand.New(rand.NewPCG(1, 1))}
	asked := f.craft(ipv4{protocol: 253, payload: f.random(24)})
	r := judge.Request{Name: unknownProtocol, Packets: [][]byte{asked}}
	answer := func(code byte, quote []byte) []byte {
		return f.craft(ipv4{src: f.agent(), dst: f.peer(), protocol: 1, payload: append([]byte{3, code, 0, 0, 0, 0, 0, 0}, quote...)})
	}
	for _, test := range []struct {
		answer []byte
		want   bool
	}{
		{answer(2, asked), true},
		{answer(2, asked[:28]), true},
		{answer(2, asked[:27]), false},
		{answer(3, asked), false},
		{answer(2, answer(2, asked)), false},
	} {
		if got := permitted(test.answer, r, f.agent()); got != test.want {
			t.Errorf("%x: %t, want %t", test.answer, got, test.want)
		}
	}
}
