package score

import "github.com/tun-mcp/tun-mcp/session"

// Sum counts r's exchanges and the events of its scenario: it fills in Tally,
// RoundTrip, Response and Parts. The distributions are of the exchanges where a
// time is known, whatever their outcome.
func (r *Result) Sum(events []session.Event) {
	t := Tally{Sent: len(r.Exchanges), Faults: make(map[string]int)}
	var roundTrips, responses, queues, tools, agents, devices []float64
	for _, x := range r.Exchanges {
		t.count(x)
		if x.RoundTrip > 0 {
			roundTrips = append(roundTrips, x.RoundTrip)
		}
		if x.Response <= 0 {
			continue
		}
		responses = append(responses, x.Response)
		if x.RoundTrip > 0 {
			devices = append(devices, x.Device)
		}
		if x.Queue > 0 || x.Tool > 0 {
			queues = append(queues, x.Queue)
		}
		if x.Tool > 0 { // then the agent's part is known, too
			tools = append(tools, x.Tool)
			agents = append(agents, x.Agent)
		}
	}
	for _, e := range events {
		t.observe(e)
	}
	t.Rate = Wilson(t.Right, t.Sent)
	r.Tally, r.RoundTrip, r.Response = t, Distribute(roundTrips), Distribute(responses)
	r.Parts = Parts{Queue: Distribute(queues), Tool: Distribute(tools), Agent: Distribute(agents), Device: Distribute(devices)}
}

// count adds an exchange.
func (t *Tally) count(x Exchange) {
	switch x.Outcome {
	case Right:
		t.Right++
	case Lost:
		t.Lost++
	case Late:
		t.Late++
	default:
		t.Wrong++
	}
	if x.Answer != 0 || x.RoundTrip > 0 {
		t.Answered++
	}
	for _, kind := range x.Faults {
		t.Faults[kind]++
	}
}

// observe adds an event.
func (t *Tally) observe(e session.Event) {
	switch e.Event {
	case session.EventPacket:
		if e.Direction == session.Write {
			t.Writes++
			if e.Assist != "" {
				t.assisted(e.Assist, 1)
			}
		}
	case session.EventDelivered:
		t.Reads++
	case session.EventRefused:
		t.Refused++
	case session.EventCall:
		t.Calls++
		t.CharsIn += e.CharsIn
		t.CharsOut += e.CharsOut
	}
}

// Add adds what other counts to t, and works out t's rate anew.
func (t *Tally) Add(other Tally) {
	t.Sent += other.Sent
	t.Answered += other.Answered
	t.Right += other.Right
	t.Wrong += other.Wrong
	t.Lost += other.Lost
	t.Late += other.Late
	t.Refused += other.Refused
	t.Calls += other.Calls
	t.CharsIn += other.CharsIn
	t.CharsOut += other.CharsOut
	t.Reads += other.Reads
	t.Writes += other.Writes
	if t.Faults == nil {
		t.Faults = make(map[string]int, len(other.Faults))
	}
	for kind, n := range other.Faults {
		t.Faults[kind] += n
	}
	for level, n := range other.Assists {
		t.assisted(level, n)
	}
	t.Rate = Wilson(t.Right, t.Sent)
}

func (t *Tally) assisted(level string, packets int) {
	if t.Assists == nil {
		t.Assists = make(map[string]int)
	}
	t.Assists[level] += packets
}

// CallsPerPacket is how many tool calls the agent made for each packet that it
// read, retransmissions included; ok is false if it read none.
func (t Tally) CallsPerPacket() (calls float64, ok bool) { return per(t.Calls, t.Reads) }

// CallsPerRequest is how many tool calls the agent made for each request; ok is
// false if there was none.
func (t Tally) CallsPerRequest() (calls float64, ok bool) { return per(t.Calls, t.Sent) }

// CharsPerPacket is how many characters of arguments and results went between
// agent and server for each packet that the agent read; ok is false if it read
// none.
func (t Tally) CharsPerPacket() (chars float64, ok bool) {
	return per(t.CharsIn+t.CharsOut, t.Reads)
}

func per(n, of int) (float64, bool) {
	if of <= 0 {
		return 0, false
	}
	return float64(n) / float64(of), true
}

// InAll sums up all scenarios as if they were one.
func (r *Report) InAll() Result {
	all := Result{Scenario: "in all", Seconds: r.Seconds}
	for _, s := range r.Scenarios {
		all.Exchanges = append(all.Exchanges, s.Exchanges...)
	}
	all.Sum(nil)
	all.Tally = r.Total // knows of reads and calls, too
	return all
}

// AddUsage adds what one session's agent told.
func (r *Report) AddUsage(u *Usage) {
	if r.Usage == nil {
		r.Usage = &Usage{}
	}
	r.Usage.Turns += u.Turns
	r.Usage.InputTokens += u.InputTokens
	r.Usage.OutputTokens += u.OutputTokens
	r.Usage.CostUSD += u.CostUSD
}

// Passed tells whether every scenario ran and met what its file expects.
func (r *Report) Passed() bool {
	for _, s := range r.Scenarios {
		if !s.Passed {
			return false
		}
	}
	return len(r.Scenarios) > 0 && r.Cut == ""
}
