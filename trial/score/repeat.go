package score

import "slices"

// Repeat is the result of one repetition of a scenario.
type Repeat struct {
	Repeat int     `json:"repeat"` // from 1
	Seed   uint64  `json:"seed"`   //
	Passed bool    `json:"passed"` //
	Reason string  `json:"reason,omitempty"`
	Sent   int     `json:"sent"`
	Right  int     `json:"right"`
	Reward float64 `json:"reward"`
}

// Scored sets r's reward: 1 if it passed, or else the share of right exchanges among those
// that count. If fewer counted than were planned, it is the share of those planned.
func (r *Result) Scored(right, counted, planned int) {
	reward := 1.0
	if of := max(counted, planned); !r.Passed && of > 0 {
		reward = float64(right) / float64(of)
	}
	r.Reward = &reward
}

// Unreached sets r's reward to 0, because the trial ended before r's turn.
func (r *Result) Unreached() { r.Reward = new(float64) }

// Join adds the result of another repetition of the same scenario to r, including its
// Repeats. A scenario passes if it passes every time.
func (r *Result) Join(other Result) {
	r.Repeats = append(r.Repeats, other.Repeats...)
	if r.Skipped && !other.Skipped {
		repeats := r.Repeats
		*r = other
		r.Repeats = repeats
	} else if !other.Skipped {
		r.Passed = r.Passed && other.Passed
		r.Reason, r.Note = both(r.Reason, other.Reason), both(r.Note, other.Note)
		r.Seconds += other.Seconds
		r.Exchanges = append(r.Exchanges, other.Exchanges...)
		r.Tally.Add(other.Tally)
		r.times()
	} else if len(other.Repeats) > 0 { // the trial ended before its turn
		r.Passed, r.Reason = false, both(r.Reason, other.Reason)
	}
	if n := len(r.Repeats); n > 0 {
		mean := 0.0
		for _, each := range r.Repeats {
			mean += each.Reward
		}
		mean /= float64(n)
		r.Reward = &mean
	}
}

// Has reports whether the report has a repetition (from 1) of a scenario.
func (r *Report) Has(scenario string, repeat int) bool {
	return slices.ContainsFunc(r.Scenarios, func(s Result) bool {
		return s.Scenario == scenario && (len(s.Repeats) == 0 ||
			slices.ContainsFunc(s.Repeats, func(each Repeat) bool { return each.Repeat == repeat }))
	})
}

func both(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

// Add adds the result of one run of a scenario, joined with those of its earlier
// repetitions.
func (r *Report) Add(found Result) {
	i := slices.IndexFunc(r.Scenarios, func(s Result) bool { return s.Scenario == found.Scenario })
	if i < 0 {
		r.Scenarios = append(r.Scenarios, found)
		return
	}
	r.Scenarios[i].Join(found)
}

// Finish computes the total and the reward over all scenarios.
func (r *Report) Finish() {
	r.Total, r.Reward = Tally{Faults: map[string]int{}}, 0
	rewards := 0
	for _, s := range r.Scenarios {
		r.Total.Add(s.Tally)
		if s.Reward != nil {
			r.Reward += *s.Reward
			rewards++
		}
	}
	r.Total.Rate = Wilson(r.Total.Right, r.Total.Sent)
	if rewards > 0 {
		r.Reward /= float64(rewards)
	}
}
