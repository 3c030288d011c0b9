package judge

import "github.com/tun-mcp/tun-mcp/trial/score"

// saying is what a packet says, without what its IP header has of its own.
type saying struct {
	protocol byte
	offset   int // of a fragment
	body     string
}

func sayingOf(d *datagram) saying { return saying{d.protocol, d.offset, string(d.body)} }

// judgeRepeats finds what was said to one packet again, more often than that
// packet itself came: a link may double it, and its sender repeat it. What TCP
// says again is a retransmission.
func (c *programCase) judgeRepeats(j *journal, f *findings) {
	asked := make(map[saying]int) // how often
	for number := range c.triggers {
		p := j.packets[number]
		asked[sayingOf(&p.datagram)]++
	}
	type pair struct{ asked, said saying }
	said := make(map[pair][]int) // in these packets
	for i := range c.written {
		w := &c.written[i]
		if w.protocol == protocolTCP {
			continue
		}
		trigger := j.packets[c.trigger(j, w)]
		p := pair{sayingOf(&trigger.datagram), sayingOf(&w.datagram)}
		said[p] = append(said[p], w.Number)
		if n := max(asked[p.asked], 1); len(said[p]) == n+1 {
			f.add(score.FaultDuplicate, "#%d says again what #%d said", w.Number, said[p][0])
		}
	}
}
