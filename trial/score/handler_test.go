package score

import (
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

func TestHandlerIn(t *testing.T) {
	began := time.Now()
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	wrote := session.Event{Event: session.EventPacket, Direction: session.Write}
	byHandler := wrote
	byHandler.Handler = true
	to := func(e session.Event, number int) session.Event { e.ReplyTo = number; return e }
	did := func(number int, why string) session.Event {
		return session.Event{Event: session.EventHandler, Number: number, Why: why}
	}
	events := []session.Event{
		to(wrote, 1),
		{Event: session.EventHandler, Why: "installed", Version: 1, CharsIn: 300, Time: at(1500)},
		did(3, "failed: line 4"), did(4, "dropped"),
		{Event: session.EventHandler, Why: "installed", Version: 2, CharsIn: 500, Time: at(9000)},
		to(byHandler, 5), to(byHandler, 5), byHandler, // two fragments, and one packet from tick
		{Event: session.EventHandler, Why: "tick: too long"}, {Event: session.EventHandler, Why: "taken out"},
	}
	want := Handler{Versions: 2, Chars: 500, First: 1500, Answered: 1, Dropped: 1, Failed: 1, Writes: 3}
	got := HandlerIn(events, nil, began)
	if got == nil || *got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := HandlerIn(events[:1], nil, began); got != nil {
		t.Errorf("without a handler: %+v", got)
	}
	start := HandlerIn(events[5:6], &session.HandlerStatus{Installed: true, Version: 1, Chars: 77}, began)
	if start == nil || *start != (Handler{Versions: 1, Chars: 77, Answered: 1, Writes: 1}) {
		t.Errorf("with a handler from the start: %+v", start)
	}
	var r Report
	r.AddHandler(nil)
	if r.Handler != nil {
		t.Error("AddHandler(nil) added a handler")
	}
	r.AddHandler(got)
	r.AddHandler(start)
	if sum := (Handler{Versions: 2, Chars: 77, First: 1500, Answered: 2, Dropped: 1, Failed: 1, Writes: 4}); *r.Handler != sum {
		t.Errorf("%+v, want %+v", *r.Handler, sum)
	}
	var tally Tally
	for _, e := range events {
		tally.observe(e)
	}
	if tally.Writes != 4 || tally.ByHandler != 3 {
		t.Errorf("%+v", tally)
	}
}
