// Package judge says what came of each request, from the packets and events of
// a session alone: right, wrong and how, late or lost. It does no I/O.
package judge

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Request is one thing that a scenario asked of the agent.
type Request struct {
	N         int           // 1 for the scenario's first
	Name      string        //
	Sent      time.Time     //
	Numbers   []int         // packet numbers on the link that carry it (several: fragments); empty: it never reached the link
	Packets   [][]byte      // those packets' bytes
	Fragments int           // how many fragments make it whole; 0 or 1: it is in one piece
	Leave     bool          // must be left alone: any answer is FaultNoise
	RoundTrip time.Duration // what the peer's program measured; 0: it saw no answer, or there is no such program
	Failure   string        // of a request that the program judges: why its answer was not right; empty: right if RoundTrip is not 0
	Kind      string        // of fault, with Failure; empty: score.FaultPayload
}

// Echo judges ICMP and ICMPv6 echo exchanges by their bytes. The reply
// that RFC 792 or RFC 4443 section 4.2 asks for is worked out from each
// request, every packet that the agent wrote is attributed to one request, and
// the first one of each is compared. Free are the TTL or hop limit (not 0),
// the TOS or traffic class, the flow label, the IP identification, the DF bit,
// options and extension headers that fit, and fragmentation. An answer written later than deadline after the last packet
// of the request reached the link is late; a deadline of 0 is none. One in which
// nothing is wrong, but which the program that sent the request never had, is
// lost; for a request that was put into the queue no program waits. Packets that
// answer something that is no request of the scenario are left out.
// Exchange.At is left to who knows when the scenario began.
func Echo(requests []Request, events []session.Event, deadline time.Duration) []score.Exchange {
	j := newJournal(events)
	asked := askedOf(requests, j)
	attribute(asked, answersOf(j.written, labelled(requests)))
	exchanges := make([]score.Exchange, len(asked))
	for i := range asked {
		exchanges[i] = asked[i].judge(j, deadline)
	}
	return exchanges
}

// labelled returns the function that finds a request, by its index, by the
// number of one of its packets; -1 if there is none.
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

// asked is a request, the reply that it wants, and what the agent wrote to it.
type asked struct {
	Request
	want    reply
	arrived time.Time // when all of it had reached the link; zero: never
	read    moment    // when the agent had all of it; zero: never
	copies  int       // how often it reached the link: a link may double packets, and each wants an answer
	answers []*answer
	strays  []*answer // packets that resemble no request and were written beside the answers
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

// judge says what came of a request, once its answers are known.
func (q *asked) judge(j *journal, deadline time.Duration) score.Exchange {
	x := exchangeOf(q.Request)
	var f findings
	switch {
	case q.Leave && len(q.answers) > 0:
		x.Answer = q.answers[0].last().Number
		f.add(score.FaultNoise, "must be left alone, was answered with %s", numbersOf(q.answers))
	case q.Leave:
	case len(q.answers) == 0:
		f.add(score.FaultLost, "%s", q.lost(j))
	default:
		a := q.answers[0]
		x.Answer = a.last().Number
		f = q.want.compare(a)
		if len(q.answers) > q.copies {
			f.add(score.FaultDuplicate, "answered %d times: %s", len(q.answers), numbersOf(q.answers))
		}
		for _, stray := range q.strays {
			f = append(f, q.want.compare(stray)...)
		}
		if after := a.at().Sub(q.arrived); deadline > 0 && after > deadline {
			f.add(score.FaultLate, "answered after %.3f s, the deadline is %.3f s", after.Seconds(), deadline.Seconds())
		}
		if len(f) == 0 && q.RoundTrip == 0 && !j.allInjected(q.Numbers) {
			f.add(score.FaultLost, "#%d looks right, but the program that pinged never had it: the peer's stack did not take it, or a link with --impair lost it", x.Answer)
		}
		addTurn(&x, j, turn{from: q.arrived, delivered: q.read, written: *a.last()})
	}
	return conclude(x, f)
}

// exchangeOf is what is known of an exchange before it is judged.
func exchangeOf(r Request) score.Exchange {
	x := score.Exchange{N: r.N, Name: r.Name, RoundTrip: score.Milliseconds(r.RoundTrip)}
	if len(r.Numbers) > 0 {
		x.Number = r.Numbers[0]
	}
	return x
}

// conclude fills in what follows from the rest.
func conclude(x score.Exchange, f findings) score.Exchange {
	x.Outcome, x.Faults, x.Detail = f.outcome(), f.kinds(), f.detail()
	closeParts(&x)
	return x
}

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

// echoOf returns identifier and sequence number together, and the data, of an
// echo message; ok is false if it is too short for one.
func echoOf(body []byte) (idSeq uint32, data []byte, ok bool) {
	if len(body) < 8 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(body[4:]), body[8:], true
}
