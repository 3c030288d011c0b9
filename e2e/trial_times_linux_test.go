package e2e

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The trial's response times agree with the round trips that iputils' ping measures,
// packet by packet. The response time is a part of ping's round trip, so it is never
// longer, except for rounding in ping's output. The rest of the round trip, the device
// and waiting for a processor, is short: less than a seventh of the 1,500 ms of an
// agent that is late on purpose.
func TestTrialTimesAgreeWithPing(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	for _, test := range []struct {
		name  string
		agent []string
		least float64 // ms that each answer takes at least
	}{
		{"at once", nil, 0},
		{"late on purpose", []string{"--mistake", "late"}, 1500},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const count = 10
			b := startBuiltin(t, append([]string{"--network", "private"}, test.agent...)...)
			events := watchPings(t, sessionIn(t, b.runtime), count)
			out, err := b.command("exec", "--", "ping", "-n", "-c", strconv.Itoa(count), "-i", "0.2", "-W", "30", "10.77.0.2").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			trips := pingTimes(t, string(out))
			exchanges := judge.Echo(requestsOf(<-events))
			if len(trips) != count || len(exchanges) != count {
				t.Fatalf("ping saw %d of %d answers, the session %d\n%s", len(trips), count, len(exchanges), out)
			}
			var beside []float64
			for i, x := range exchanges {
				trip, ok := trips[i+1]
				if !ok || x.Response < test.least || x.Response > trip.ms+trip.grain {
					t.Errorf("seq %d: the response took %.4f ms, want %.0f to %.3f (%t)", i+1, x.Response, test.least, trip.ms, ok)
				}
				beside = append(beside, trip.ms-x.Response)
			}
			slices.Sort(beside)
			t.Logf("ping's time exceeds the response time by %.3f to %.3f ms, median %.3f ms", beside[0], beside[count-1], beside[count/2])
			if beside[count/2] > 200 {
				t.Errorf("ping's times exceed the response times by %.3f ms in the median: they do not agree", beside[count/2])
			}
		})
	}
}

// pingTime is a round trip from ping's output and its possible error, both in
// milliseconds.
type pingTime struct{ ms, grain float64 }

var pingLine = regexp.MustCompile(`icmp_seq=(\d+) ttl=\d+ time=(\d+(?:\.\d+)?) ms`)

// pingTimes parses ping's round trips, by sequence number.
func pingTimes(t *testing.T, printed string) map[int]pingTime {
	t.Helper()
	times := make(map[int]pingTime)
	for _, match := range pingLine.FindAllStringSubmatch(printed, -1) {
		seq, err := strconv.Atoi(match[1])
		if err != nil {
			t.Fatal(err)
		}
		ms, err := strconv.ParseFloat(match[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		_, decimals, _ := strings.Cut(match[2], ".")
		const clock = 0.002 // both of its timestamps are truncated to microseconds
		times[seq] = pingTime{ms, math.Pow(10, -float64(len(decimals)))/2 + clock}
	}
	return times
}

// watchPings collects a session's events until count packets were written.
func watchPings(t *testing.T, client *control.Client, count int) <-chan []session.Event {
	t.Helper()
	ready, done := make(chan struct{}), make(chan []session.Event, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	t.Cleanup(cancel)
	go func() {
		var all []session.Event
		_ = client.EventsSince(ctx, 0, func() { close(ready) }, func(e session.Event) bool { // missing events show in the comparison
			all = append(all, e)
			if e.Event == session.EventPacket && e.Direction == session.Write {
				count--
			}
			return count > 0
		})
		done <- all
	}()
	select {
	case <-ready:
	case <-ctx.Done():
		t.Fatal("the session's events do not come")
	}
	return done
}

// requestsOf returns the echo requests in some events, in the judge's form.
func requestsOf(events []session.Event) ([]judge.Request, []session.Event, time.Duration) {
	var requests []judge.Request
	for _, e := range events {
		data, err := hex.DecodeString(e.Hex)
		if err == nil && e.Direction == session.Read && len(data) >= 28 && data[9] == 1 && data[20] == 8 {
			requests = append(requests, judge.Request{N: int(binary.BigEndian.Uint16(data[26:])), Sent: e.Time, Numbers: []int{e.Number}, Packets: [][]byte{data}})
		}
	}
	return requests, events, 0
}
