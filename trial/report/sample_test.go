package report

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// sample makes reports that look real. The same seed gives the same report.
type sample struct {
	*rand.Rand
	number int // of the last packet
}

func newSample(seed uint64) *sample { return &sample{Rand: rand.New(rand.NewPCG(seed, 7))} }

// traffic describes a scenario of a sample.
type traffic struct {
	name, about, rfc, expect string
	count                    int
	interval                 float64               // ms
	think                    func(*sample) float64 // the agent's time in ms
	wrong, lost, late        float64               // shares
	alone                    float64               // share of packets that must be ignored
	faults                   []string
}

// quick and slow return how long an agent takes, in milliseconds: a program and a model.
func quick(s *sample) float64 { return 0.15 * math.Exp(0.4*s.NormFloat64()) }
func slow(s *sample) float64  { return 1800 * math.Exp(0.5*s.NormFloat64()) }

// uneven is mostly quick, but sometimes 42.6 s.
func uneven(s *sample) float64 {
	if s.Float64() < 0.1 {
		return 42600 * math.Exp(0.05*s.NormFloat64())
	}
	return quick(s)
}

func (s *sample) result(t traffic) score.Result {
	r := score.Result{Scenario: t.name, About: t.about, RFC: t.rfc, Expect: t.expect, Seconds: float64(t.count) * t.interval / 1e3}
	r.Tally.Faults = map[string]int{}
	var trips, responses, queues, tools, agents, devices []float64
	for n := 1; n <= t.count; n++ {
		s.number++
		e := score.Exchange{N: n, Name: fmt.Sprintf("seq %d", n), At: float64(n-1) * t.interval, Number: s.number, Outcome: score.Right}
		r.Tally.Reads++
		r.Tally.Calls += 1 + s.IntN(2)
		r.Tally.CharsIn += 180 + s.IntN(60)
		r.Tally.CharsOut += 400 + s.IntN(90)
		read := score.Crossing{Number: s.number, At: e.At, Direction: "read", Bytes: 84,
			Summary: fmt.Sprintf("IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq %d, checksums ok", n)}
		if len(r.Crossings) < 24 {
			r.Crossings = append(r.Crossings, read)
		}
		switch fate := s.Float64(); {
		case fate < t.alone:
			e.Name = "wrong ICMP checksum"
		case fate < t.alone+t.lost:
			e.Outcome, e.Faults = score.Lost, []string{score.FaultLost}
		default:
			s.number++
			e.Answer = s.number
			e.Queue, e.Tool, e.Device = 0.02*(1+s.Float64()), 0.05*(1+s.Float64()), 0.03*(1+s.Float64())
			e.Agent = t.think(s)
			if fate < t.alone+t.lost+t.late {
				e.Outcome, e.Faults = score.Late, []string{score.FaultLate}
				e.Agent += 60e3
			} else if fate < t.alone+t.lost+t.late+t.wrong {
				kind := t.faults[s.IntN(len(t.faults))]
				e.Outcome, e.Faults, e.Detail = score.Wrong, []string{kind}, "the checksum is 0x3eb6, should be 0x3eb7"
			}
			e.Response = e.Queue + e.Tool + e.Agent
			e.RoundTrip = e.Response + e.Device
			trips, responses = append(trips, e.RoundTrip), append(responses, e.Response)
			queues, tools = append(queues, e.Queue), append(tools, e.Tool)
			agents, devices = append(agents, e.Agent), append(devices, e.Device)
			r.Tally.Writes++
			r.Tally.Answered++
			if len(r.Crossings) < 24 {
				r.Crossings = append(r.Crossings, score.Crossing{Number: e.Answer, At: e.At + e.Response, Direction: "write", Bytes: 84, ReplyTo: e.Number,
					Summary: fmt.Sprintf("IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 15078 seq %d, checksums ok", n)})
			}
		}
		r.Tally.Sent++
		switch e.Outcome {
		case score.Right:
			r.Tally.Right++
		case score.Wrong:
			r.Tally.Wrong++
		case score.Lost:
			r.Tally.Lost++
		case score.Late:
			r.Tally.Late++
		}
		for _, f := range e.Faults {
			r.Tally.Faults[f]++
		}
		r.Exchanges = append(r.Exchanges, e)
	}
	slices.SortStableFunc(r.Crossings, func(a, b score.Crossing) int { return cmp.Compare(a.At, b.At) })
	r.Tally.Rate = score.Wilson(r.Tally.Right, r.Tally.Sent)
	r.RoundTrip, r.Response = score.Distribute(trips), score.Distribute(responses)
	r.Parts = score.Parts{Queue: score.Distribute(queues), Tool: score.Distribute(tools), Agent: score.Distribute(agents), Device: score.Distribute(devices)}
	r.Passed = r.Tally.Sent > 0 && r.Tally.Right == r.Tally.Sent
	if !r.Passed {
		r.Reason = fmt.Sprintf("%d of %d were not right", r.Tally.Sent-r.Tally.Right, r.Tally.Sent)
	}
	return r
}

func (s *sample) report(agent score.Agent, assist string, count int, all ...traffic) *score.Report {
	r := &score.Report{
		Version: score.Version, Program: "0.1.0", Started: time.Date(2026, 11, 22, 22, 10, 0, 0, time.UTC), System: "linux/amd64, 2 processors",
		Agent: agent, Network: "private", Assist: assist, Settings: score.Settings{Count: count, Interval: 1000, Deadline: 60e3, Seed: 1},
	}
	for _, t := range all {
		result := s.result(t)
		r.Scenarios = append(r.Scenarios, result)
		r.Total.Add(result.Tally)
		r.Seconds += result.Seconds
	}
	r.Total.Rate = score.Wilson(r.Total.Right, r.Total.Sent)
	return r
}

// pings is the traffic of most samples.
func pings(count int, think func(*sample) float64) traffic {
	return traffic{name: "ping", about: "echo requests of 56 bytes", rfc: "RFC 792, echo", expect: "each request answered once, with its data and right checksums",
		count: count, interval: 1000, think: think, faults: []string{score.FaultIPChecksum}}
}

var (
	claude  = score.Agent{Kind: "claude", Name: "claude", Model: "claude-example-1"}
	builtin = score.Agent{Kind: "builtin", Name: "builtin"}
)

// samples returns the reports with which every writer is tested.
func samples() map[string]*score.Report {
	noise := pings(25, slow)
	noise.name, noise.alone, noise.wrong, noise.lost, noise.faults = "noise", 0.4, 0.15, 0.1, []string{score.FaultNoise, score.FaultIPChecksum, score.FaultTransportChecksum}
	noise.about, noise.rfc, noise.expect = "damaged and foreign packets among good requests", "RFC 1122, 3.2.1", "the good ones answered, the others ignored"
	lossy := pings(20, slow)
	lossy.name, lossy.late, lossy.lost = "lossy", 0.15, 0.15
	udp := pings(10, slow)
	udp.name, udp.about, udp.rfc = "udp-echo", "datagrams to port 7", "RFC 862"
	ten := newSample(1).report(claude, "fix", 10, pings(10, slow), noise, lossy, udp)
	ten.Total.Assists = map[string]int{"check": 12, "fix": 1034}
	ten.Scenarios[0].Note = "all right up to one request every 5 ms, 200 a second"
	ten.Usage = &score.Usage{Turns: 71, InputTokens: 1234567, OutputTokens: 45678, CostUSD: 3.214}

	flood := pings(1000, quick)
	flood.interval, flood.name = 2, "load"
	bad := pings(1000, quick)
	bad.interval, bad.name, bad.wrong, bad.lost, bad.faults = 2, "load-bad", 0.3, 0.4, []string{score.FaultTransportChecksum, score.FaultIDSeq, score.FaultPayload}
	thousand := newSample(2).report(builtin, "none", 1000, flood, bad)

	extreme := newSample(3).report(claude, "check", 40, pings(40, uneven))

	none := pings(10, slow)
	none.lost = 1
	lost := newSample(4).report(claude, "none", 10, none)

	falsely := pings(10, slow)
	falsely.wrong, falsely.faults = 1, []string{score.FaultTransportChecksum, score.FaultLength}
	wrong := newSample(5).report(claude, "none", 10, falsely)

	empty := newSample(6).report(builtin, "fix", 10, pings(0, quick))
	empty.Scenarios[0].Reason, empty.Cut = "the agent ended before it read a packet", "the agent ended: exit status 1"
	nothing := newSample(7).report(builtin, "fix", 10)

	return map[string]*score.Report{
		"ten": ten, "thousand": thousand, "extreme": extreme, "lost": lost, "wrong": wrong,
		"empty": empty, "nothing": nothing, "hostile": hostile(), "zero": {},
	}
}

// evil is a string that a packet or an agent may put into a report.
const evil = "</script></style><img src=x onerror=alert(1)>\x1b[2J\x1b]0;owned\a\r\n\u202e\"'`{{.}}${1}&lt;\x00\xff"

// hostile returns a report whose strings are all evil and whose numbers are impossible.
func hostile() *score.Report {
	long := strings.Repeat("w", 5000)
	e := []score.Exchange{
		{N: 1, Name: evil, Outcome: evil, Faults: []string{evil}, Detail: evil, Response: 1e300, RoundTrip: -1, At: -5},
		{N: -7, Name: long, Outcome: score.Right, Detail: long, Response: 1e-8, RoundTrip: math.MaxFloat64, At: 1e300, Number: -1, Answer: 4},
		{N: 3, Outcome: score.Lost, At: 12},
	}
	return &score.Report{
		Program: evil, System: evil, Cut: evil, Network: evil, Assist: evil, Agent: score.Agent{Kind: evil, Name: evil, Model: evil},
		Seconds: 1e300, Settings: score.Settings{Count: -1, Interval: -1, Deadline: 1e300},
		Scenarios: []score.Result{{Scenario: evil, About: evil, RFC: evil, Expect: evil, Reason: evil, Exchanges: e,
			Tally:     score.Tally{Sent: 3, Right: 1, Wrong: 1, Lost: 1, Faults: map[string]int{evil: 1, long: -2}, Rate: score.Rate{Value: 5, Low: -1, High: 7}},
			RoundTrip: score.Distribution{N: 2, Min: -1, Max: 1e300}, Parts: score.Parts{Agent: score.Distribution{N: 1, Median: -4}, Tool: score.Distribution{N: 1, Median: 1e308}, Queue: score.Distribution{N: 1, Median: 1e308}},
			Crossings: []score.Crossing{{Number: 1, Direction: evil, Summary: evil, At: 1e300}, {Number: 2, Direction: "write", Summary: long, ReplyTo: 1, At: -1e300}}}},
		Total: score.Tally{Sent: 3, Right: 1, Faults: map[string]int{evil: 1}, CharsIn: math.MaxInt, Reads: 1}, Usage: &score.Usage{Turns: -1, CostUSD: 1e300},
	}
}
