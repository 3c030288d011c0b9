package score

import "github.com/tun-mcp/tun-mcp/session"

// Sum sets Tally, RoundTrip, Response, Parts and Sums from r's exchanges and the events of
// its scenario. The distributions have every exchange whose time is known, whatever its
// outcome, except probes.
func (r *Result) Sum(events []session.Event) {
	t := Tally{Faults: make(map[string]int)}
	for _, x := range r.Exchanges {
		t.count(x)
	}
	for _, e := range events {
		t.observe(e)
	}
	t.Rate = Wilson(t.Right, t.Sent)
	r.Tally = t
	r.times()
}

// times sets the distributions and sums from r's exchanges.
func (r *Result) times() {
	var roundTrips, responses, queues, tools, agents, devices []float64
	for _, x := range r.Exchanges {
		if x.Probe {
			continue
		}
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
		if x.Tool > 0 { // then the agent's part is known as well
			tools = append(tools, x.Tool)
			agents = append(agents, x.Agent)
		}
	}
	r.Sums = nil
	if rows := SumsOf(r.Exchanges); len(rows) > 0 {
		r.Sums = &Sums{Rows: rows}
		if fit, ok := FitSums(rows); ok {
			r.Sums.Fit = &fit
		}
	}
	r.RoundTrip, r.Response = Distribute(roundTrips), Distribute(responses)
	r.Parts = Parts{Queue: Distribute(queues), Tool: Distribute(tools), Agent: Distribute(agents), Device: Distribute(devices)}
}

// Observed counts the calls and packets in events. It counts no exchanges.
func Observed(events []session.Event) Tally {
	var t Tally
	for _, e := range events {
		t.observe(e)
	}
	return t
}

// count counts an exchange.
func (t *Tally) count(x Exchange) {
	if x.Probe {
		t.Probes++
		return
	}
	t.Sent++
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

// observe counts an event.
func (t *Tally) observe(e session.Event) {
	switch e.Event {
	case session.EventPacket:
		if e.Direction == session.Write {
			t.Writes++
			if e.Handler {
				t.ByHandler++
			}
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

// Add adds other's counts to t and updates t's rate.
func (t *Tally) Add(other Tally) {
	t.Sent += other.Sent
	t.Answered += other.Answered
	t.Right += other.Right
	t.Wrong += other.Wrong
	t.Lost += other.Lost
	t.Late += other.Late
	t.Probes += other.Probes
	t.Refused += other.Refused
	t.Calls += other.Calls
	t.CharsIn += other.CharsIn
	t.CharsOut += other.CharsOut
	t.Reads += other.Reads
	t.Writes += other.Writes
	t.ByHandler += other.ByHandler
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

// CallsPerPacket returns the number of tool calls per packet that the agent read, including
// retransmissions. ok is false if it read none.
func (t Tally) CallsPerPacket() (calls float64, ok bool) { return per(t.Calls, t.Reads) }

// CallsPerRequest returns the number of tool calls per request, probes included. ok is
// false if there were no requests.
func (t Tally) CallsPerRequest() (calls float64, ok bool) { return per(t.Calls, t.Sent+t.Probes) }

// CharsPerPacket returns the number of characters of tool results per packet that the agent
// read. ok is false if it read none.
func (t Tally) CharsPerPacket() (chars float64, ok bool) { return per(t.CharsOut, t.Reads) }

// CharsPerReply returns the number of characters of tool arguments per packet that was
// written. ok is false if there was none.
func (t Tally) CharsPerReply() (chars float64, ok bool) { return per(t.CharsIn, t.Writes) }

func per(n, of int) (float64, bool) {
	if of <= 0 {
		return 0, false
	}
	return float64(n) / float64(of), true
}

// InAll returns the result of all scenarios taken as one.
func (r *Report) InAll() Result {
	all := Result{Scenario: "total", Seconds: r.Seconds}
	for _, s := range r.Scenarios {
		all.Exchanges = append(all.Exchanges, s.Exchanges...)
	}
	all.Sum(nil)
	all.Tally = r.Total // has reads and calls as well
	return all
}

// AddUsage adds the usage that the agent of one session reported.
func (r *Report) AddUsage(u *Usage) {
	if r.Usage == nil {
		r.Usage = &Usage{}
	}
	r.Usage.Turns += u.Turns
	r.Usage.InputTokens += u.InputTokens
	r.Usage.OutputTokens += u.OutputTokens
	r.Usage.CostUSD += u.CostUSD
}

// Passed reports whether the trial passed: at least one scenario did, and every other one
// too, except those that cannot run on the link and were not named by the user. A trial
// that was cut short does not pass.
func (r *Report) Passed() bool {
	passed := 0
	for _, s := range r.Scenarios {
		if s.Passed {
			passed++
		} else if !s.Unsuited {
			return false
		}
	}
	return passed > 0 && r.Cut == ""
}
