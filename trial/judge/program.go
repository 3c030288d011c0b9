package judge

import (
	"cmp"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Program judges exchanges by what the peer's program reports: the outcome comes from
// RoundTrip and Failure, and the program judges the data of UDP and TCP. It returns one
// exchange for each request, without At, which depends on the start of the scenario.
//
// If the program never got its answer, the exchange is lost if the agent wrote nothing,
// late if it wrote after the deadline, and wrong otherwise.
//
// Program also checks every packet that the agent wrote: checksums, lengths, addresses,
// values that IP forbids, the quotes in ICMP errors and, except for TCP, duplicates and
// further answers. A mistake counts for the exchange whose packet the agent's packet
// answers or whose flow it shares, or else for the one that began last.
//
// An exchange may have several turns (a handshake, then a request). Its response time is
// the sum of theirs, up to the program's answer.
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

// programCase is a request and the packets that the agent wrote during it.
type programCase struct {
	Request
	want     reply        // addresses only
	triggers map[int]bool // numbers of the exchange's packets from the peer
	written  []crossed    // packets of the exchange from the agent
	strays   []crossed    // packets that the agent wrote meanwhile and that answer nothing
	found    findings     // what is wrong with all of these packets
}

// take checks a written packet, and keeps it if it is related to the request or answers
// nothing.
func (c *programCase) take(w crossed, related bool) {
	judgePacket(&w.datagram, &c.found)
	if related || w.ReplyTo == 0 { // an answer to other traffic has other addresses
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
		c.written = c.strays // there is no answer, so the strays must be meant as one
	}
	if len(c.written) > 0 {
		x.Answer = c.written[0].Number
	}
	f := c.found
	if c.Leave {
		f = nil
		if len(c.written) > 0 || len(c.strays) > 0 {
			f.add(score.FaultNoise, "must be ignored, was answered")
		}
		return conclude(x, f)
	}
	c.judgeQuotes(j, &f)
	c.judgeRepeats(j, &f)
	c.judgeExcess(&f)
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
			detail = incomplete
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
		after = 0 // no answer ended the exchange
	}
	c.addTurns(&x, j, after)
	return conclude(x, f)
}

// firstArrival returns when the first packet of a request reached the link.
func firstArrival(r Request, j *journal) time.Time {
	first := r.Sent
	for i, number := range r.Numbers {
		if p, ok := j.packets[number]; ok && (i == 0 || p.Time.Before(first)) {
			first = p.Time
		}
	}
	return first
}
