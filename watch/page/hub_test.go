package page

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
)

var start = time.Unix(1_800_000_000, 0)

func newTestHub() *hub {
	return &hub{client: control.At("/nowhere/x.sock"), start: start, version: 1, shown: make(map[int]int),
		packets: newBudget(packetRate, packetBurst), calls: newBudget(callRate, callBurst), troubles: newBudget(troubleRate, troubleBurst)}
}

// exchange feeds a request at a time, and its answer a millisecond later.
func exchange(h *hub, number int, at time.Time, faults ...string) {
	h.see(session.Event{Event: session.EventPacket, Number: number, Time: at, Direction: session.Read, Hex: "45", Summary: fmt.Sprint("request ", number)})
	h.see(session.Event{Event: session.EventPacket, Number: number + 1, Time: at.Add(time.Millisecond), Direction: session.Write, Hex: "45", Summary: fmt.Sprint("answer ", number), ReplyTo: number, Response: 1, Faults: faults})
}

// At a thousand packets a second for a minute, the ladder shows a small share of
// complete exchanges, the page learns the rate, and memory stays bounded.
func TestHubSamples(t *testing.T) {
	h := newTestHub()
	for i := range 30_000 {
		exchange(h, 2*i+1, start.Add(time.Duration(i)*2*time.Millisecond))
	}
	m, version, _ := h.since(0, start.Add(time.Minute))
	if len(m.Rows) != keptRungs || len(h.rungs) != keptRungs || len(h.shown) != keptRungs {
		t.Errorf("%d rows, %d rungs, %d numbers; want %d", len(m.Rows), len(h.rungs), len(h.shown), keptRungs)
	}
	if rate := m.State.Meter.Rate; rate < 950 || rate > 1050 {
		t.Errorf("rate %v, want about 1000", rate)
	}
	if shown := m.State.Meter.Shown; shown < 20 || shown > 100 {
		t.Errorf("%v packets are shown a second", shown)
	}
	requests := map[int]bool{}
	for _, row := range m.Rows[2:] {
		if row.ReplyTo == 0 {
			requests[row.Number] = true
		} else if !requests[row.ReplyTo] {
			t.Errorf("answer #%d is shown without #%d", row.Number, row.ReplyTo)
		} else {
			delete(requests, row.ReplyTo)
		}
	}
	if len(requests) > 1 {
		t.Errorf("%d requests are shown without their answers", len(requests))
	}
	n := 0.0
	for _, span := range m.Plot.Spans {
		n += span[2]
	}
	if n != 30_000 || len(m.Plot.Spans) > 2*plotSlices {
		t.Errorf("the plot has %v responses in %d spans, want all 30,000", n, len(m.Plot.Spans))
	}
	if _, _, changed := h.since(version, start); changed {
		t.Error("there are no changes")
	}
}

// After a day of pings, one every two seconds, a hub keeps no more, and sends no more
// to a new page, than after an hour.
func TestHubOfADay(t *testing.T) {
	h := newTestHub()
	held := func() (bytes uint64, told int) {
		m, _, _ := h.since(0, start)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc, len(text)
	}
	var bytes uint64
	var told int
	for i := range 24 * 1800 {
		at := start.Add(time.Duration(i) * 2 * time.Second)
		exchange(h, 2*i+1, at)
		for call := range 2 {
			h.see(session.Event{Event: session.EventCall, Call: 2*i + call, Tool: "write_packet", Began: at, Time: at.Add(time.Millisecond)})
		}
		if i == 1800 {
			bytes, told = held()
		}
	}
	after, toldAfter := held()
	t.Logf("%d bytes are held after an hour, %d after a day; %d and %d told", bytes, after, told, toldAfter)
	if after > bytes+1<<20 || toldAfter > told+told/4 {
		t.Errorf("after an hour the hub keeps %d bytes and sends %d, after a day %d and %d", bytes, told, after, toldAfter)
	}
	if len(h.rungs) != keptRungs || len(h.shown) > keptRungs {
		t.Errorf("%d rungs, %d numbers", len(h.rungs), len(h.shown))
	}
}

// Refused packets and faults are shown however many packets cross.
func TestHubShowsTrouble(t *testing.T) {
	h := newTestHub()
	at := start
	for i := range 2000 {
		at = at.Add(time.Millisecond)
		exchange(h, 2*i+1, at)
	}
	h.see(session.Event{Event: session.EventRefused, Time: at, Hex: "45", Why: "a fault"})
	exchange(h, 9001, at, "ICMP checksum is 0x0000, should be 0x1234")
	m, _, _ := h.since(0, at)
	refused, faulty := false, false
	for _, row := range m.Rows {
		refused = refused || row.Text == "a fault"
		faulty = faulty || row.Number == 9002
	}
	if !refused || !faulty {
		t.Errorf("refused is shown: %v, faulty is shown: %v", refused, faulty)
	}
}

// A page that reconnects gets only the changes.
func TestHubTellsChanges(t *testing.T) {
	h := newTestHub()
	exchange(h, 1, start)
	first, version, _ := h.since(0, start)
	if !first.Reset || len(first.Rows) != 2 {
		t.Fatalf("%+v", first)
	}
	h.see(session.Event{Event: session.EventDropped, Number: 1, Time: start})
	h.see(session.Event{Event: session.EventReaders, Readers: 1, Time: start.Add(time.Second)})
	second, version, changed := h.since(version, start.Add(3*time.Second))
	if !changed || second.Reset || len(second.Rows) != 1 || second.Rows[0].Number != 1 || second.Rows[0].Answers != "dropped: the queue was full" {
		t.Errorf("%+v", second)
	}
	if second.State.Doing != "reading" || second.State.Since != 2000 || second.Plot != nil {
		t.Errorf("%+v", second.State)
	}
	h.see(session.Event{Event: session.EventEnd, Time: start, Why: "why"})
	third, _, _ := h.since(version, start)
	if third.State.Ended != "why" || len(third.Rows) != 1 {
		t.Errorf("%+v", third)
	}
}

// A day of answers fits into the plot, with all answers and the extremes.
func TestPlotOfADay(t *testing.T) {
	var p plot
	const day = 24 * 3600
	for second := range day {
		p.add(float64(second)*1000, 1, byAgent, second)
	}
	p.add(day*1000-1, 0, byHandler, day)
	p.add(1000, 42_600, byAgent, day)
	m := p.since(0)
	n, slowest, fastestSeen := 0.0, 0.0, math.Inf(1)
	for _, span := range m.Spans {
		n += span[2]
		slowest, fastestSeen = max(slowest, span[5]), min(fastestSeen, span[3])
		if !(span[3] <= span[4] && span[4] <= span[5]) && round(span[3]) != span[4] {
			t.Errorf("span %v", span)
		}
	}
	if n != day+2 || slowest != 42_600 || fastestSeen != fastest || len(m.Spans) > 2*plotSlices {
		t.Errorf("%v responses from %v to %v in %d spans", n, fastestSeen, slowest, len(m.Spans))
	}
	if width := m.Width * plotSlices; width < day*1000 || width > 2*day*1000 {
		t.Errorf("the plot is %v ms wide", width)
	}
	for _, at := range []float64{-1, math.NaN(), math.Inf(1)} {
		p.add(at, 1, byAgent, 0)
	}
}

func TestHubsDropWhatNobodySees(t *testing.T) {
	var x hubs
	stopped := 0
	for i := range maxHubs {
		h := newTestHub()
		h.stop = func() { stopped++ }
		h.pages = 1
		if i == 7 {
			h.pages, h.ended = 0, "over"
		}
		x.all = append(x.all, h)
	}
	gone := x.all[7]
	x.drop()
	if stopped != 1 || len(x.all) != maxHubs-1 {
		t.Errorf("%d stopped, %d left", stopped, len(x.all))
	}
	for _, h := range x.all {
		if h == gone {
			t.Error("the ended hub that no page shows was kept")
		}
	}
}
