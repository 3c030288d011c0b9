package report

import (
	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// columnOf returns a column with a cell for each result.
type columnOf func(head string, cell func(score.Result) string) column

func answerColumns(of columnOf) []column {
	return []column{
		of("right/sent", func(s score.Result) string { return ladder.Count(s.Tally.Right) + "/" + ladder.Count(s.Tally.Sent) }),
		of("rate", func(s score.Result) string { return rateOf(s.Tally) }),
		of("95 % interval", func(s score.Result) string { return intervalOf(s.Tally) }),
		of("wrong", func(s score.Result) string { return ladder.Count(s.Tally.Wrong) }),
		of("lost", func(s score.Result) string { return ladder.Count(s.Tally.Lost) }),
		of("late", func(s score.Result) string { return ladder.Count(s.Tally.Late) }),
	}
}

func roundTripColumns(of columnOf) []column {
	return []column{
		of("n", func(s score.Result) string { return ladder.Count(s.RoundTrip.N) }),
		of("min", func(s score.Result) string { return timeOf(s.RoundTrip, s.RoundTrip.Min) }),
		of("median", func(s score.Result) string { return timeOf(s.RoundTrip, s.RoundTrip.Median) }),
		of("p95", func(s score.Result) string { return timeOf(s.RoundTrip, s.RoundTrip.P95) }),
		of("max", func(s score.Result) string { return timeOf(s.RoundTrip, s.RoundTrip.Max) }),
	}
}

func partColumns(of columnOf) []column {
	return []column{
		of("queue", func(s score.Result) string { return timeOf(s.Parts.Queue, s.Parts.Queue.Median) }),
		of("tool", func(s score.Result) string { return timeOf(s.Parts.Tool, s.Parts.Tool.Median) }),
		of("agent", func(s score.Result) string { return timeOf(s.Parts.Agent, s.Parts.Agent.Median) }),
		of("device", func(s score.Result) string { return timeOf(s.Parts.Device, s.Parts.Device.Median) }),
	}
}

// costColumns returns calls and characters, per request, packet read and packet written.
// A request includes its retransmissions.
func costColumns(of columnOf) []column {
	return []column{
		of("calls/request", func(s score.Result) string { return formatMean(s.Tally.CallsPerRequest()) }),
		of("calls/packet", func(s score.Result) string { return formatMean(s.Tally.CallsPerPacket()) }),
		of("chars/packet", func(s score.Result) string { return formatMean(s.Tally.CharsPerPacket()) }),
		of("chars/reply", func(s score.Result) string { return formatMean(s.Tally.CharsPerReply()) }),
	}
}
