package report

import (
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Lost probes do not lower the curve.
func TestSharePlotLeavesOutProbes(t *testing.T) {
	p := newSharePlot("x", score.Result{Exchanges: []score.Exchange{
		{N: 1, Outcome: score.Right, Number: 1, Answer: 2, Response: 1},
		{N: 2, Outcome: score.Right, Probe: true, Number: 3, Answer: 4, Response: 9}, {N: 3, Outcome: score.Lost, Probe: true, Number: 5},
	}})
	if p == nil || p.N != 1 {
		t.Errorf("%+v, want one request", p)
	}
}
