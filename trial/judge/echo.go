// Package judge decides the outcome of each request of a trial (right, wrong, late or
// lost) and what was wrong. It works on the packets and events of a session, and does no
// I/O.
package judge

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Request is one request of a scenario.
type Request struct {
	N         int           // 1 for the scenario's first
	Name      string        //
	Sent      time.Time     //
	Numbers   []int         // numbers of the packets that carried it, several if it was fragmented; none if it never reached the link
	Packets   [][]byte      // the bytes of those packets
	Fragments int           // number of fragments that make it complete; 0 or 1 means not fragmented
	Leave     bool          // the agent must ignore it: any answer is FaultNoise
	RoundTrip time.Duration // measured by the peer's program; 0 if it got no answer, or there is no program
	Failure   string        // why the program found the answer wrong; "" means right if RoundTrip is not 0
	Kind      string        // the kind of fault of Failure; "" means score.FaultPayload

	most int // bytes of data that the agent may send in a TCP connection; 0 means any number
}

// Echo judges ICMP and ICMPv6 echo exchanges, and those of UDP echo, by their bytes. It
// returns one exchange for each request, without At, which depends on the start of the
// scenario.
//
// Echo computes the reply that RFC 792, RFC 4443 section 4.2 or RFC 862 requires,
// attributes each packet that the agent wrote to one request, and compares the first
// answer to each request with that reply. The agent may choose the TTL or hop limit (but
// not 0), the TOS or traffic class, the flow label, the IP identification, the DF bit,
// well-formed options and extension headers, and whether to fragment.
//
// An answer is late if it was written more than deadline after the last packet of the
// request reached the link; a deadline of 0 means none. An answer is lost if nothing is
// wrong with it but the program that sent the request never got it. (No program sends
// injected requests.) Packets that answer other traffic are left out.
func Echo(requests []Request, events []session.Event, deadline time.Duration) []score.Exchange {
	j := newJournal(events)
	asked := askedOf(requests, j)
	attribute(asked, answersOf(j.written, !slices.ContainsFunc(requests, repeatsAFragment), labelled(requests)))
	exchanges := make([]score.Exchange, len(asked))
	for i := range asked {
		exchanges[i] = asked[i].judge(j, deadline)
	}
	return exchanges
}

// labelled returns a function that maps the number of a packet to the index of the
// request that it carried, or -1.
func labelled(requests []Request) func(int) int {
	index := make(map[int]int)
	for i, r := range requests {
		for _, number := range r.Numbers {
			index[number] = i
		}
	}
	return func(number int) int {
		if i, ok := index[number]; ok {
			return i
		}
		return -1
	}
}

// asked is a request with the reply that it requires and the answers that the agent
// wrote.
type asked struct {
	Request
	want    reply
	arrived time.Time // when all of it had reached the link; zero if it never did
	read    moment    // when the agent had read all of it; zero if it never did
	copies  int       // how often it reached the link, which may duplicate packets; each copy may be answered
	answers []*answer
	strays  []*answer // packets that resemble no request, in addition to the answers
}

func askedOf(requests []Request, j *journal) []asked {
	all := make([]asked, len(requests))
	for i, r := range requests {
		all[i] = asked{Request: r}
		parts, copies := onceEach(r)
		all[i].want, all[i].copies = replyTo(parts), copies
		var numbers []int
		for _, part := range parts {
			numbers = append(numbers, part.Number)
		}
		all[i].arrived, all[i].read = j.wholeAt(numbers)
		if all[i].arrived.IsZero() && len(r.Numbers) > 0 {
			all[i].arrived = r.Sent // the event was missed
		}
	}
	return all
}

// judge returns the exchange of a request whose answers are known.
func (q *asked) judge(j *journal, deadline time.Duration) score.Exchange {
	x := exchangeOf(q.Request)
	if q.want.protocol == protocolUDP {
		x.Words = len(q.want.body) / 2
	}
	var f findings
	switch {
	case q.Leave && len(q.answers) > 0:
		x.Answer = q.answers[0].last().Number
		f.add(score.FaultNoise, "must be ignored, was answered with %s", numbersOf(q.answers))
	case q.Leave:
	case len(q.answers) == 0:
		f.add(score.FaultLost, "%s", q.lost(j))
	default:
		a := q.answers[0]
		x.Answer, x.NoSum = a.last().Number, x.Words > 0 && !q.want.shownSum(a)
		f = q.want.compare(a)
		if len(q.answers) > q.copies {
			f.add(score.FaultDuplicate, "answered %d times: %s", len(q.answers), numbersOf(q.answers))
		}
		for _, stray := range q.strays {
			f.join(q.want.compare(stray))
		}
		if after := a.at().Sub(q.arrived); deadline > 0 && after > deadline {
			f.add(score.FaultLate, "answered after %.3f s, the deadline is %.3f s", after.Seconds(), deadline.Seconds())
		}
		if len(f) == 0 && q.RoundTrip == 0 && !j.allInjected(q.Numbers) {
			f.add(score.FaultLost, "#%d looks right, but the program that pinged never got it: the peer's stack dropped it, or a link with --impair lost it", x.Answer)
		}
		addTurn(&x, j, turn{from: q.arrived, delivered: q.read, written: *a.last()})
	}
	return conclude(x, f)
}

// exchangeOf returns the exchange of a request before it is judged.
func exchangeOf(r Request) score.Exchange {
	x := score.Exchange{N: r.N, Name: r.Name, RoundTrip: score.Milliseconds(r.RoundTrip)}
	if len(r.Numbers) > 0 {
		x.Number = r.Numbers[0]
	}
	return x
}

// conclude fills in the outcome, faults, detail and device time of x.
func conclude(x score.Exchange, f findings) score.Exchange {
	x.Outcome, x.Faults, x.Detail = f.outcome(), f.kinds(), f.detail()
	closeParts(&x)
	return x
}

// numbersOf lists the packet numbers of answers, eight at most.
func numbersOf(answers []*answer) string {
	const most = 8
	var all []string
	for _, a := range answers {
		for _, p := range a.packets {
			if len(all) == most {
				return strings.Join(all, ", ") + " and more"
			}
			all = append(all, fmt.Sprintf("#%d", p.Number))
		}
	}
	return strings.Join(all, ", ")
}

// echoOf returns the identifier and sequence number of an echo message as one number, and
// its data. ok is false if the message is too short.
func echoOf(body []byte) (idSeq uint32, data []byte, ok bool) {
	if len(body) < 8 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(body[4:]), body[8:], true
}
