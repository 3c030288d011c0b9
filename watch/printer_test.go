package watch

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.Local)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

const (
	request = "4500001c00000000400166450a4d00010a4d00020800f7fd00010001"
	reply   = "4500001c00000000400166450a4d00020a4d00010000fffd00010001"
	damaged = "4500001c00000000400166450a4d00020a4d000100001234000100ff"
	tcp     = "450000280000400040062634" + "0a4d00010a4d0002" + "cfd400500000303900000000" + "5002faf09ff70000"
)

// crossing returns a described packet event.
func crossing(t *testing.T, number, ms int, direction session.Direction, text string) session.Event {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	e := session.Event{Event: session.EventPacket, Number: number, Time: at(ms), Direction: direction, Hex: text, Summary: packet.Summary(data)}
	for _, fault := range packet.Check(data) {
		e.Faults = append(e.Faults, fault.String())
	}
	return e
}

// scene returns the events of a short session: a ping that is answered after some
// thought, a faulty answer, a refusal and a drop.
func scene(t *testing.T) []session.Event {
	answer := crossing(t, 2, 8500, session.Write, reply)
	answer.ReplyTo, answer.Response, answer.Call, answer.Began = 1, 8400, 2, at(8490)
	faulty := crossing(t, 4, 9000, session.Write, damaged)
	faulty.ReplyTo, faulty.Response = 3, 250
	return []session.Event{
		{Event: session.EventReaders, Readers: 1, Call: 1, Time: at(0)},
		crossing(t, 1, 100, session.Read, request),
		{Event: session.EventReaders, Call: 1, Time: at(100)},
		{Event: session.EventDelivered, Number: 1, Call: 1, Time: at(100)},
		{Event: session.EventCall, Call: 1, Tool: "read_packet", Began: at(0), Time: at(101)},
		answer,
		{Event: session.EventCall, Call: 2, Tool: "write_packet", Began: at(8490), Time: at(8501)},
		crossing(t, 3, 8750, session.Read, tcp),
		faulty,
		{Event: session.EventRefused, Time: at(9100), Hex: damaged, Why: "ICMP checksum is 0x1234, should be 0xfeff"},
		{Event: session.EventDropped, Number: 3, Time: at(9200)},
		{Event: session.EventFailed, Number: 4, Time: at(9300), Why: "the link is down"},
		{Event: session.EventMissed, Missed: 7, Time: at(9400)},
	}
}

func printed(t *testing.T, p Printer, events []session.Event) string {
	t.Helper()
	var out strings.Builder
	p.Out = &out
	for _, e := range events {
		if err := p.See(e); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestPrinterAsWideAsNeeded(t *testing.T) {
	got := printed(t, Printer{}, scene(t))
	const want = `12:00:00.100 #1 → IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 1 seq 1, checksums ok, 28 bytes
12:00:00.101    · read_packet, 101 ms, 1 read
12:00:08.500 #2 ← IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 1 seq 1, checksums ok, 28 bytes, 8.40 s after #1
12:00:08.501    · thought for 8.39 s, then write_packet, 11.0 ms, 1 written
12:00:08.750 #3 → IPv4 10.77.0.1:53204 > 10.77.0.2:80 TCP SYN seq 0x00003039 win 64240 len 0, checksums ok, 40 bytes
12:00:09.000 #4 ← IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 1 seq 255, ICMP checksum is 0x1234, should be 0xfeff, 28 bytes, 250 ms after #3
12:00:09.100    ✗ refused: ICMP checksum is 0x1234, should be 0xfeff, 28 bytes
12:00:09.200 #3   dropped: the queue was full
12:00:09.300 #4   lost, the link did not take it: the link is down
12:00:09.400      7 events were missed: this terminal is slower than the link
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// No line is longer than the width. From 60 columns on, response times are shown.
func TestPrinterFitsTheWidth(t *testing.T) {
	for _, width := range []int{80, 60, 40, 30} {
		p := Printer{Width: func() int { return width }, Ends: Ends{Peer: "10.77.0.1", Agent: "10.77.0.2"}, Hex: width == 80}
		got := printed(t, p, scene(t))
		for text := range strings.Lines(got) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(text, "\n")); n > width {
				t.Errorf("width %d: %d characters in %q", width, n, text)
			}
		}
		if width < narrow {
			continue
		}
		for _, part := range []string{", 8.40 s", ", 250 ms"} {
			if !strings.Contains(got, part) {
				t.Errorf("width %d: %q is missing in\n%s", width, part, got)
			}
		}
	}
	got := printed(t, Printer{Width: func() int { return 80 }, Ends: Ends{Peer: "10.77.0.1", Agent: "10.77.0.2"}}, scene(t))
	for _, want := range []string{
		"12:00:00.100 #1 → ICMP echo request id 1 seq 1, 28 bytes\n",
		"12:00:08.750 #3 → 53204 > 80 TCP SYN seq 0x00003039 win 64240 len 0, 40 bytes\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}

	// A fragment's summary already contains its length.
	fragment := crossing(t, 9, 9000, session.Read, "4500001c00010003400166420a4d00010a4d00020102030405060708")
	if got := printed(t, Printer{}, []session.Event{fragment}); strings.Count(got, "28 bytes") != 1 {
		t.Errorf("%s", got)
	}

	// The important fields of a TCP answer stay, and the columns stay aligned with
	// longer numbers.
	segment, err := packet.ParseHex("45000028000040004006000" + "00a4d00020a4d0001" + "0050cfd46f9538970000303a" + "5012faf000000000")
	if err != nil {
		t.Fatal(err)
	}
	if segment, err = packet.Fix(segment); err != nil {
		t.Fatal(err)
	}
	answer := crossing(t, 100, 9000, session.Write, hex.EncodeToString(segment))
	answer.ReplyTo, answer.Response = 3, 250
	events := append(scene(t)[:8:8], answer, session.Event{Event: session.EventCall, Tool: "read_packet", Began: at(9000), Time: at(9001)})
	for width, want := range map[int]string{
		100: "12:00:09.000 #100 ← 80 > 53204 TCP SYN ACK seq 0x6f953897 ack 0x0000303a len 0, 250 ms after #3\n",
		80:  "12:00:09.000 #100 ← 80 > 53204 TCP SYN ACK seq 0x6f953897 len 0, 250 ms after #3\n",
		60:  "12:00:09.000 #100 ← 80 > 53204 TCP SYN ACK, 250 ms after #3\n",
	} {
		got := printed(t, Printer{Width: func() int { return width }, Ends: Ends{Peer: "10.77.0.1", Agent: "10.77.0.2"}}, events)
		if !strings.Contains(got, want) || !strings.Contains(got, "12:00:09.001      · thought for 499 ms, then read_packet") {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	answer.Handler = true
	if got := printed(t, Printer{Width: func() int { return 60 }, Ends: Ends{Peer: "10.77.0.1", Agent: "10.77.0.2"}}, []session.Event{answer}); got != "12:00:09.000 #100 ← 80 > 53204 TCP SYN ACK, 250 ms\n" {
		t.Errorf("%s", got)
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[mK]|\r")

// With Color, the text without its escape sequences is the same, and untrusted bytes
// never reach the terminal as control characters.
func TestPrinterColours(t *testing.T) {
	events := scene(t)
	events = append(events, session.Event{Event: session.EventRefused, Time: at(9500), Why: "\x1b[2Jcleared\nline"},
		session.Event{Event: session.EventCall, Call: 9, Tool: "\x1b]0;title\a", Began: at(9500), Time: at(9501)},
		crossing(t, 5, 9600, session.Read, "0a1b5b324a07"))
	plain := printed(t, Printer{Fields: true}, events)
	if strings.ContainsAny(plain, "\x1b\a\r") {
		t.Errorf("control characters in %q", plain)
	}
	coloured := printed(t, Printer{Fields: true, Color: true}, events)
	if coloured == plain || escapes.ReplaceAllString(coloured, "") != plain {
		t.Error("colours change the text")
	}
	if !strings.Contains(coloured, "\x1b[31mIPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 1 seq 255") {
		t.Error("the fault is not red")
	}
	if strings.Count(coloured, "\x1b[0m")*2 != len(regexp.MustCompile("\x1b\\[").FindAllString(coloured, -1)) {
		t.Error("a colour is not reset")
	}
}

// The live line shows what the agent is doing, and Close removes it.
func TestPrinterLiveLine(t *testing.T) {
	var out strings.Builder
	p := Printer{Out: &out, Live: true, Width: func() int { return 80 }}
	if p.Status(at(0)); out.Len() != 0 {
		t.Errorf("got %q before the agent called a tool", out.String())
	}
	for i, e := range scene(t)[:5] {
		p.See(e)
		if i == 0 {
			p.Status(at(50))
		}
	}
	p.Status(at(4101))
	if text := out.String(); !strings.Contains(text, "agent: reading for 100 ms\r\x1b[K12:00:00.100") || !strings.HasSuffix(text, "agent: thinking for 4.00 s") {
		t.Errorf("%q", text)
	}
	p.Close()
	if text := out.String(); !strings.HasSuffix(text, "\r\x1b[K") {
		t.Errorf("%q", text)
	}
}

func TestPrinterOfForgottenPackets(t *testing.T) {
	got := printed(t, Printer{Since: 3}, []session.Event{{Event: session.EventMissed, Missed: 8, Time: at(0)}})
	if want := "the record has forgotten 8 packets, #3 to #10\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Calls whose end was missed are forgotten in the end.
func TestPrinterForgetsCalls(t *testing.T) {
	p := Printer{Out: &strings.Builder{}}
	for i := range 10 * maxCalls {
		p.See(session.Event{Event: session.EventDelivered, Number: i, Call: i, Time: at(i)})
	}
	if len(p.calls) > maxCalls {
		t.Errorf("%d calls are remembered, want at most %d", len(p.calls), maxCalls)
	}
}

func TestActivity(t *testing.T) {
	var a Activity
	a.Start(session.Status{State: "open", LastCall: at(0)})
	if got := a.Text(at(2500)); got != "thinking for 2.50 s" {
		t.Errorf("%q", got)
	}
	a.Start(session.Status{State: "open", Readers: 1, LastCall: at(0)})
	if got := a.Text(at(2500)); got != "reading" {
		t.Errorf("got %q, want reading without a time", got)
	}
	a.See(session.Event{Event: session.EventEnd, Time: at(3000)})
	if got := a.Text(at(4000)); got != "" || a.State != StateEnded {
		t.Errorf("%q, %s", got, fmt.Sprint(a))
	}
}
