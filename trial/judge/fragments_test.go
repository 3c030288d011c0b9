package judge

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

func TestJudgeEchoFragments(t *testing.T) {
	gone := func(which int) func([][]byte) [][]byte {
		return func(p [][]byte) [][]byte { return append(slices.Clone(p[:which]), p[which+1:]...) }
	}
	for _, test := range []struct {
		name, kind string
		spell      func(*spelled)
		packets    func([][]byte) [][]byte
	}{
		{name: "right"},
		{name: "backwards", packets: func(p [][]byte) [][]byte { slices.Reverse(p); return p }},
		{name: "in one piece", spell: func(r *spelled) { r.size = 0 }},
		{name: "in other pieces", spell: func(r *spelled) { r.size = 8 * 33 }},
		{name: "last missing", kind: score.FaultLength, packets: gone(2)},
		{name: "first missing", kind: score.FaultLength, packets: gone(0)},
		{name: "wrong offset", kind: score.FaultLength, packets: func(p [][]byte) [][]byte {
			if p[1][0]>>4 == 4 {
				p[1][7]++
				resealed(p[1])
			} else {
				p[1][43] += 8
			}
			return p
		}},
		{name: "wrong data", kind: score.FaultPayload, spell: func(r *spelled) { r.body[2000]++ }},
		{name: "data changed later", kind: score.FaultPayload + " " + score.FaultTransportChecksum, packets: func(p [][]byte) [][]byte { p[1][100]++; return p }},
		{name: "wrong total length", kind: score.FaultLength, packets: func(p [][]byte) [][]byte {
			p[1] = stating(8, true)(p[1], map[byte]int{4: 20, 6: 40}[p[1][0]>>4])
			return p
		}},
		{name: "wrong destination", kind: score.FaultAddresses, packets: func(p [][]byte) [][]byte {
			at := map[byte]int{4: 19, 6: 39}[p[1][0]>>4]
			p[1][at] += 8
			resealed(p[1])
			return p
		}},
	} {
		for _, version := range []int{4, 6} {
			for naming := range 3 {
				t.Run(fmt.Sprintf("%s/IPv%d/naming%d", test.name, version, naming), func(t *testing.T) {
					s := newStream()
					s.naming = naming
					var requests []spelled
					for i := range 2 {
						r := echoRequest(version, 9, uint16(i+1), someData(3000+i, i))
						r.size = 1480
						r.df = false
						requests = append(requests, r)
						s.ask(false, r.packets()...)
					}
					s.read()
					s.write(s.requests[0].Numbers[0], echoReply(requests[0]).packets()...)
					reply := echoReply(requests[1])
					if test.spell != nil {
						test.spell(&reply)
					}
					packets := reply.packets()
					if test.packets != nil {
						packets = test.packets(packets)
					}
					s.write(s.requests[1].Numbers[0], packets...)
					wantExchanges(t, Echo(s.requests, s.events, 0), "", test.kind)
				})
			}
		}
	}
}

// A request that lost a fragment on the link was never complete. Its outcome is lost, and
// the detail does not blame the agent.
func TestJudgeEchoOfLostFragments(t *testing.T) {
	for _, version := range []int{4, 6} {
		for gone := range 3 {
			s := newStream()
			r := echoRequest(version, 9, 1, someData(3000, 1))
			r.size, r.df = 1480, false
			packets := r.packets()
			packets = append(packets[:gone:gone], packets[gone+1:]...)
			i := s.ask(false, packets...)
			s.requests[i].Fragments = 3
			s.read()
			got := Echo(s.requests, s.events, 0)
			wantExchanges(t, got, score.FaultLost)
			if want := "2 of 3 fragments reached the agent"; got[0].Detail != want {
				t.Errorf("IPv%d without fragment %d: %q, want %q", version, gone, got[0].Detail, want)
			}
		}
	}
}

// Two replies with the same identification are told apart even if their fragments are
// interleaved.
func TestJudgeEchoFragmentsInterleaved(t *testing.T) {
	s := newStream()
	s.naming = byFlow
	var packets [2][][]byte
	for i := range packets {
		r := echoRequest(4, 9, uint16(i+1), someData(2000, i))
		s.ask(false, r.packet())
		reply := echoReply(r)
		reply.size, reply.id, reply.df = 1024, 0, false
		packets[i] = reply.packets()
	}
	s.read()
	s.write(0, packets[0][0], packets[1][0], packets[0][1], packets[1][1])
	wantExchanges(t, Echo(s.requests, s.events, 0), "", "")
}
