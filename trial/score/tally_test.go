package score

import "testing"

// The times of probes are in no distribution, so that an agent that gets further has the
// same median.
func TestSumLeavesOutProbes(t *testing.T) {
	r := Result{Exchanges: []Exchange{{Outcome: Right, Response: 5, RoundTrip: 6, Queue: 1, Tool: 1, Agent: 3, Device: 1},
		{Outcome: Right, Probe: true, Response: 50, RoundTrip: 60, Queue: 10, Tool: 10, Agent: 30, Device: 10}}}
	r.Sum(nil)
	one := func(ms float64) Distribution { return Distribute([]float64{ms}) }
	if r.RoundTrip != one(6) || r.Response != one(5) || r.Parts != (Parts{Queue: one(1), Tool: one(1), Agent: one(3), Device: one(1)}) {
		t.Errorf("%+v, %+v, %+v", r.RoundTrip, r.Response, r.Parts)
	}
}
