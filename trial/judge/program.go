package judge

import (
	"cmp"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Program judges exchanges whose right and wrong the peer's program sees: the
// outcome comes from RoundTrip and Failure, and what UDP and TCP carry is the
// program's to judge. What a program never had is lost if nothing was written
// to it, late if that was after the deadline, and wrong if it was before. Every
// packet that the agent wrote is checked besides for checksums, lengths,
// addresses, what IP forbids, what an ICMP error quotes and, but for TCP,
// whether it says anything twice; what is wrong goes to the exchange whose
// packet it answers or whose flow it shares, else to the last one begun. An
// exchange may take several turns (a handshake, a request): its response time is
// the sum of theirs, until the program had its answer. Exchange.At is left to
// who knows when the scenario began.
func Program(requests []Request, events []session.Event, deadline time.Duration) []score.Exchange {
	j := newJournal(events)
	o := newOwners(requests, j)
	cases := make([]programCase, len(requests))
	for i := range cases {
		cases[i] = programCase{Request: requests[i], triggers: o.triggers[i]}
		if len(requests[i].Packets) > 0 {
			first := readDatagram(requests[i].Packets[0])
			cases[i].want = reply{version: first.version, src: first.dst, dst: first.src}
		}
	}
	for _, w := range j.written {
		if i, related := o.of(&w); i >= 0 {
			cases[i].take(w, related)
		}
	}
	exchanges := make([]score.Exchange, len(cases))
	for i := range cases {
		exchanges[i] = cases[i].judge(j, deadline)
	}
	return exchanges
}

// programCase is a request and what the agent wrote while it was going on.
type programCase struct {
	Request
	want     reply        // the addresses alone
	triggers map[int]bool // numbers of the packets of the exchange that the peer sent
	written  []crossed    // packets of the exchange
	strays   []crossed    // packets that were written meanwhile and answer nothing
	found    findings     // what is wrong with the packets
}

// take checks a packet that was written, and keeps it if it is related.
func (c *programCase) take(w crossed, related bool) {
	judgePacket(&w.datagram, &c.found)
	if related || w.ReplyTo == 0 { // what answers other traffic has addresses of its own
		want := c.want
		if byAnybody(&w.datagram) {
			want.src = w.src
		}
		want.judgeAddresses(&w.datagram, &c.found)
	}
	switch {
	case related:
		c.written = append(c.written, w)
	case w.ReplyTo == 0:
		c.strays = append(c.strays, w)
	}
}

func (c *programCase) judge(j *journal, deadline time.Duration) score.Exchange {
	x := exchangeOf(c.Request)
	if len(c.written) == 0 && c.RoundTrip == 0 && len(c.Packets) > 0 {
		c.written = c.strays // what answers nothing is taken for the answer that did not come
	}
	if len(c.written) > 0 {
		x.Answer = c.written[0].Number
	}
	f := c.found
	if c.Leave {
		f = nil
		if len(c.written) > 0 || len(c.strays) > 0 {
			f.add(score.FaultNoise, "must be left alone, was answered")
		}
		return conclude(x, f)
	}
	c.judgeQuotes(j, &f)
	c.judgeRepeats(j, &f)
	after := c.RoundTrip
	if after == 0 {
		after = c.answered(j, deadline)
	}
	late := deadline > 0 && after > deadline
	switch {
	case c.RoundTrip > 0 && c.Failure != "":
		f.blame(cmp.Or(c.Kind, score.FaultPayload), c.Failure)
	case c.RoundTrip == 0 && !late:
		kind, detail := score.FaultLost, j.lost(c.Numbers)
		switch {
		case len(c.written) > 0 && len(f) > 0:
			detail = notHad
		case len(c.written) > 0:
			kind, detail = c.amiss()
		}
		if c.Failure != "" {
			detail = c.Failure + ": " + detail
		}
		f.blame(kind, detail)
	}
	if late {
		f.add(score.FaultLate, "answered after %.3f s, the deadline is %.3f s", after.Seconds(), deadline.Seconds())
	}
	if c.RoundTrip == 0 && !late {
		after = 0 // it has no end
	}
	c.addTurns(&x, j, after)
	return conclude(x, f)
}

// firstArrival is when the first packet of a request reached the link.
func firstArrival(r Request, j *journal) time.Time {
	first := r.Sent
	for i, number := range r.Numbers {
		if p, ok := j.packets[number]; ok && (i == 0 || p.Time.Before(first)) {
			first = p.Time
		}
	}
	return first
}
