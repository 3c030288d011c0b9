package judge

import (
	"cmp"
	"slices"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// saying is the content of a packet, without its IP header.
type saying struct {
	protocol byte
	offset   int // of a fragment, if the others are missing
	body     string
}

func sayingOf(d *datagram) saying { return saying{d.protocol, d.offset, string(d.body)} }

// datagrams returns what the agent wrote, except for TCP, with its fragments put together.
// Only the first fragment shows the ports, so the others may be among the strays.
func (c *programCase) datagrams() []*answer {
	var all []crossed
	related := make(map[int]bool)
	for _, w := range c.written {
		if w.protocol != protocolTCP {
			all, related[w.Number] = append(all, w), true
		}
	}
	for _, w := range c.strays {
		if w.offset > 0 && !related[w.Number] {
			all = append(all, w)
		}
	}
	slices.SortStableFunc(all, func(v, w crossed) int { return cmp.Compare(v.Number, w.Number) })
	return slices.DeleteFunc(answersOf(all, true, func(int) int { return -1 }), func(a *answer) bool {
		return !slices.ContainsFunc(a.packets, func(p crossed) bool { return related[p.Number] })
	})
}

// judgeRepeats finds answers that the agent sent more often than the packet that they
// answer arrived. (A link may duplicate that packet, and its sender may repeat it.) In TCP
// a repetition is a retransmission and allowed. It also finds more answers than datagrams
// that arrived, whatever the answers say.
func (c *programCase) judgeRepeats(j *journal, f *findings) {
	asked := make(map[saying]int) // how often it arrived
	datagrams, answers := 0, 0    // of UDP
	for number := range c.triggers {
		p := j.packets[number]
		asked[sayingOf(&p.datagram)]++
		if p.protocol == protocolUDP && p.offset == 0 {
			datagrams++
		}
	}
	type pair struct{ asked, said saying }
	said := make(map[pair][]int) // numbers of the packets
	for _, a := range c.datagrams() {
		w := a.first()
		trigger := j.packets[c.trigger(j, w)]
		p := pair{sayingOf(&trigger.datagram), saying{a.protocol, w.offset, string(a.body)}}
		said[p] = append(said[p], w.Number)
		if n := max(asked[p.asked], 1); len(said[p]) == n+1 {
			f.add(score.FaultDuplicate, "#%d repeats #%d", w.Number, said[p][0])
			answers = -1 // that is enough
		}
		_, isError := quotedIn(&w.datagram)
		if answers < 0 || datagrams == 0 || w.offset > 0 || w.protocol != protocolUDP && !isError {
			continue
		}
		if answers++; answers > datagrams {
			f.add(score.FaultDuplicate, "#%d is one answer too many", w.Number)
			answers = -1
		}
	}
}
