package ladder

import (
	"html/template"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

func TestRows(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for _, test := range []struct {
		event session.Event
		want  string
	}{
		{session.Event{Event: session.EventPacket, Number: 7, Time: at(1500), Direction: session.Read, Hex: strings.Repeat("00", 1500), Summary: "IPv4 a > b"},
			"1.50 s #7 from peer to agent, IPv4 a > b 1,500 bytes"},
		{session.Event{Event: session.EventPacket, Number: 8, Time: at(9900), Direction: session.Write, Hex: "00", Summary: "x", ReplyTo: 7, Response: 8400, Handler: true},
			"9.90 s #8 from agent to peer, x 1 byte answers #7 after 8.40 s, by the handler"},
		{session.Event{Event: session.EventCall, Tool: "read\x1b[2J", Time: at(2000), Began: at(1000), Failed: true}, "2.00 s read?[2J, 1.00 s, an error"},
		{session.Event{Event: session.EventRefused, Time: at(1), Hex: "0000", Why: "bad\u202esum"}, "1.00 ms refused not sent to the peer: bad?sum 2 bytes"},
		{session.Event{Event: session.EventMissed, Time: at(1), Missed: 3}, "1.00 ms 3 events were missed here"},
		{session.Event{Event: session.EventEnd, Time: at(1), Why: "why"}, "1.00 ms the link has ended: why"},
		{session.Event{Event: session.EventHandler, Time: at(1), Version: 2, Why: "installed"}, "1.00 ms handler 2: installed"},
	} {
		r, ok := Of(test.event, start)
		if got := r.Row().String(); !ok || got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if _, ok := Of(session.Event{Event: session.EventReaders}, start); ok {
		t.Error("an event of readers has a rung")
	}
	faulty := Rung{Kind: KindPacket, Faulty: true, Handler: true, Lost: "dropped"}.Row()
	if faulty.Class != "rung to-peer faulty handler lost" {
		t.Errorf("class %q", faulty.Class)
	}
}

// The template escapes text from packets, in every field of a rung.
func TestTemplateEscapes(t *testing.T) {
	page := template.Must(template.New("").Parse(`{{template "rung" .}}` + HTML))
	var out strings.Builder
	bad := `"><script>alert(1)</script>`
	if err := page.Execute(&out, Rung{Kind: KindRefused, Text: bad, Tool: bad, Lost: bad}.Row()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "<script") || !strings.Contains(out.String(), "&lt;script") {
		t.Errorf("%s", out.String())
	}
}

func TestMarkSilences(t *testing.T) {
	rungs := []Rung{{Kind: KindPacket}, {Kind: KindPacket, At: 10}, {Kind: KindCall, At: 900}, {Kind: KindPacket, At: 3010}, {Kind: KindPacket, At: 3500}}
	MarkSilences(rungs)
	for i, want := range []string{"", "", "", "3.00 s", ""} {
		if rungs[i].Silence != want {
			t.Errorf("rung %d: %q, want %q", i, rungs[i].Silence, want)
		}
	}
}
