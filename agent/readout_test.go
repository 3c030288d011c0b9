package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

const whole = "#7 20 bytes, waited 0.4 s: IPv4 10.77.0.1 > 10.77.0.2, header checksum ok\n" +
	"0: 4500 0014 1a11 4000 4001 0bfc 0a4d 0001\n" +
	"16: 0a4d 0002\n"

func TestParseReadout(t *testing.T) {
	r, err := parseReadout(whole +
		"#9 60 bytes: retransmission of #7\n" +
		"#12 3 bytes, waited 0 s\n0: 4500 ff\n" +
		"#13 waited 0.3 s: seq 2, checksums ok; as #7 but 4: 1a12 16: 0a4e 0003\n" +
		"#14 waited 0.3 s: as #12\n" +
		"#15-#16, #18: 3 times #7, sent before your answer #20\n" +
		"2 more queued, 31 dropped")
	if err != nil {
		t.Fatal(err)
	}
	if p := r.packets[3]; p.number != 13 || p.size != 20 || p.summary != "seq 2, checksums ok" || fmt.Sprintf("%x", p.data) != "450000141a12400040010bfc0a4d00010a4e0003" {
		t.Errorf("the fourth is %+v", p)
	}
	if p := r.packets[4]; p.number != 14 || p.size != 3 || !bytes.Equal(p.data, []byte{0x45, 0, 0xff}) {
		t.Errorf("the fifth is %+v", p)
	}
	if p := r.packets[7]; p.number != 18 || p.repeats != 7 || p.data != nil {
		t.Errorf("the last is %+v", p)
	}
	if len(r.packets) != 8 || r.queued != 2 || r.dropped != 31 {
		t.Fatalf("read %+v", r)
	}
	first, second, third := r.packets[0], r.packets[1], r.packets[2]
	if first.number != 7 || first.size != 20 || first.repeats != 0 || len(first.data) != 20 || first.data[19] != 2 ||
		first.summary != "IPv4 10.77.0.1 > 10.77.0.2, header checksum ok" {
		t.Errorf("the first is %+v", first)
	}
	if second.number != 9 || second.size != 60 || second.repeats != 7 || second.data != nil || second.summary != "retransmission of #7" {
		t.Errorf("the second is %+v", second)
	}
	if third.number != 12 || !bytes.Equal(third.data, []byte{0x45, 0, 0xff}) || third.summary != "" {
		t.Errorf("the third is %+v", third)
	}
	if r, err := parseReadout("no packet in 30000 ms (tun0 up, private network, 0 packets so far; the user can ping it with: x)"); err != nil || len(r.packets) != 0 {
		t.Errorf("no packet: %+v, %v", r, err)
	}
}

func TestParseReadoutRefuses(t *testing.T) {
	const trailer = "0 more queued, 0 dropped"
	for name, text := range map[string]string{
		"an empty text":                      "",
		"only counts":                        trailer,
		"no counts":                          whole,
		"a cut packet":                       "#7 40 bytes, waited 0.4 s\n0: 4500 0014 1a11 4000 4001 0bfc 0a4d 0001\n+ 24 more bytes\n" + trailer,
		"too few lines":                      "#7 40 bytes, waited 0.4 s\n0: 4500 0014 1a11 4000 4001 0bfc 0a4d 0001\n" + trailer,
		"too many lines":                     whole + "32: 4500\n" + trailer,
		"a packet within a packet's bytes":   strings.Replace(whole, "16: 0a4d 0002", "#8 20 bytes, waited 0 s", 1) + trailer,
		"a wrong offset":                     strings.Replace(whole, "16:", "17:", 1) + trailer,
		"an offset with a leading zero":      strings.Replace(whole, "16:", "016:", 1) + trailer,
		"a short line":                       strings.Replace(whole, " 0001\n", "\n", 1) + trailer,
		"a long line":                        strings.Replace(whole, "16: 0a4d 0002", "16: 0a4d 0002 0003", 1) + trailer,
		"no space between words":             strings.Replace(whole, "0a4d 0002", "0a4d.0002", 1) + trailer,
		"not hex":                            strings.Replace(whole, "0a4d 0002", "0a4d 000g", 1) + trailer,
		"upper case":                         strings.Replace(whole, "0a4d 0002", "0A4D 0002", 1) + trailer,
		"text after the words":               strings.Replace(whole, "0a4d 0002", "0a4d 0002  hello", 1) + trailer,
		"a control character in the summary": strings.Replace(whole, "header", "\x1b[31m", 1) + trailer,
		"a number out of order":              whole + whole + trailer,
		"number zero":                        strings.Replace(whole, "#7", "#0", 1) + trailer,
		"a signed number":                    strings.Replace(whole, "#7", "#+7", 1) + trailer,
		"a number out of range":              strings.Replace(whole, "#7", "#99999999999999999999", 1) + trailer,
		"an empty packet":                    "#7 0 bytes, waited 0 s\n" + trailer,
		"a packet too long":                  "#7 65536 bytes, waited 0 s\n" + trailer,
		"no time":                            strings.Replace(whole, ", waited 0.4 s", "", 1) + trailer,
		"not a time":                         strings.Replace(whole, "0.4 s", "0. s", 1) + trailer,
		"an empty summary":                   strings.Replace(whole, "IPv4 10.77.0.1 > 10.77.0.2, header checksum ok", "", 1) + trailer,
		"a retransmission of itself":         "#9 60 bytes: retransmission of #9\n" + trailer,
		"a retransmission with bytes":        "#9 20 bytes: retransmission of #7\n0: 4500\n" + trailer,
		"text after the counts":              whole + trailer + "\n#8 60 bytes: retransmission of #7",
		"as an unknown packet":               whole + "#8 waited 0 s: as #6\n" + trailer,
		"as a retransmission":                "#7 60 bytes: retransmission of #5\n#8 waited 0 s: as #7\n" + trailer,
		"a word beyond the packet":           whole + "#8 waited 0 s: as #7 but 19: 0a4d\n" + trailer,
		"a word without offset":              whole + "#8 waited 0 s: as #7 but 0a4d\n" + trailer,
		"a long word":                        whole + "#8 waited 0 s: as #7 but 4: 0a4d00\n" + trailer,
		"text in place of differences":       whole + "#8 waited 0 s: as #7 and more\n" + trailer,
		"three of two repeats":               "#9-#10: 3 times #7\n" + trailer,
		"a range backwards":                  "#9-#8: 2 times #7\n" + trailer,
		"text in the counts":                 whole + trailer + " so far",
		"no packet, and then a packet":       "no packet in 1 ms\n" + whole + trailer,
	} {
		if r, err := parseReadout(text); err == nil {
			t.Errorf("%s: no error, read %+v", name, r)
		} else if !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: the error does not say where: %v", name, err)
		}
	}
}

func TestParseWriteout(t *testing.T) {
	w, err := parseWriteout("#8 84 bytes written: IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply, 0.0004 s after #7\n"+
		"packet 2: ICMP checksum is 0x3eb6, should be 0x3eb7\n#9 20 bytes written\n1 of 3 packets not sent: correct and write again", 3)
	want := []writtenPackets{{[]int{8}, 84, "IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply, 0.0004 s after #7"}, {[]int{9}, 20, ""}}
	if err != nil || !reflect.DeepEqual(w.written, want) || len(w.refused) != 1 || w.refused[0] != "packet 2: ICMP checksum is 0x3eb6, should be 0x3eb7" {
		t.Errorf("got %+v, %v", w, err)
	}
	w, err = parseWriteout("#9-#10, #12: 3 packets written, 84 bytes each: ICMP echo replies id 7 seq 2-4, checksums ok, 0.4-0.2 s after #3-#5\n#13 20 bytes written", 4)
	want = []writtenPackets{{[]int{9, 10, 12}, 84, "ICMP echo replies id 7 seq 2-4, checksums ok, 0.4-0.2 s after #3-#5"}, {[]int{13}, 20, ""}}
	if err != nil || !reflect.DeepEqual(w.written, want) || w.count() != 4 {
		t.Errorf("got %+v, %v", w, err)
	}
	for name, text := range map[string]string{
		"nothing":        "",
		"three of two":   "#8-#10: 3 packets written, 84 bytes each",
		"a wrong number": "#8-#9: 3 packets written, 84 bytes each",
		"a range of one": "#8-#8: 1 packets written, 84 bytes each",
		"no size":        "#8-#9: 2 packets written",
		"too few":        "#8 84 bytes written",
		"too many":       "#8 84 bytes written\n#9 84 bytes written\n#10 84 bytes written",
		"not written":    "#8 84 bytes\n#9 84 bytes written",
		"the wrong one":  "packet 2: no\npacket 3: no\n2 of 2 packets not sent: correct and write again",
		"no count":       "packet 1: no\n#9 84 bytes written",
		"a wrong count":  "packet 1: no\n#9 84 bytes written\n2 of 2 packets not sent",
		"a control code": "#8 84 bytes written: \x1b[31m\n#9 84 bytes written",
	} {
		if w, err := parseWriteout(text, 2); err == nil {
			t.Errorf("%s: no error, read %+v", name, w)
		}
	}
}

// The results of read_packet for any packets, at any assist level, parse back to
// the same bytes. The results of write_packet parse as well.
func FuzzToolsAreUnderstood(f *testing.F) {
	f.Add([]byte("E\x00\x00\x14"), []byte("2 more queued, 0 dropped\n#9 60 bytes: retransmission of #7\n"), true)
	f.Add([]byte{0x60}, bytes.Repeat([]byte("#7 20 bytes, waited 0 s\n0: 4500\n"), 40), false)
	f.Fuzz(func(t *testing.T, one, two []byte, help bool) {
		device := tuntest.NewDevice()
		s := session.New(device, session.Config{})
		defer s.Close()
		host := &tools.Host{Session: s, Assist: tools.AssistNone, Status: func() session.Status { return session.Status{} }}
		if help {
			host.Assist = tools.AssistFix
		}
		call := func(tool int, arguments any) string {
			raw, err := json.Marshal(arguments)
			if err != nil {
				t.Fatal(err)
			}
			text, err := host.All()[tool].Call(t.Context(), raw)
			if err != nil {
				return err.Error()
			}
			return text
		}
		var want [][]byte
		for _, data := range [][]byte{one, two} {
			if _, err := s.Inject(data); err == nil {
				want = append(want, data)
			}
		}
		if len(want) > 0 {
			text := call(0, readAll)
			r, err := parseReadout(text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if len(r.packets) != len(want) {
				t.Fatalf("parsed %d packets, want %d", len(r.packets), len(want))
			}
			for i, p := range r.packets {
				if p.repeats == 0 && (!bytes.Equal(p.data, want[i]) || p.size != len(want[i])) {
					t.Errorf("#%d is %x, want %x", p.number, p.data, want[i])
				}
			}
		}
		for _, assist := range []string{"none", "check"} {
			if assist == "check" && !help {
				continue
			}
			text := call(1, newWriteArguments(assist, [][]byte{one, two}, nil))
			w, err := parseWriteout(text, 2)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			for _, p := range w.written {
				for _, n := range p.numbers {
					if got := <-device.ToPeer; len(got) != p.size {
						t.Errorf("#%d has %d bytes, the peer got %d", n, p.size, len(got))
					}
				}
			}
		}
	})
}

// Parsing ends for any text, and its result is consistent.
func FuzzParseReadout(f *testing.F) {
	f.Add(whole + "#9 60 bytes: retransmission of #7\n2 more queued, 0 dropped")
	f.Add("no packet in 5 ms (x)")
	f.Add(whole + "#8 waited 0.3 s: seq 2; as #7 but 4: 1a12\n#9-#10: 2 times #7\n2 more queued, 0 dropped")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseReadout(text)
		if err != nil {
			return
		}
		for _, p := range r.packets {
			if p.number < 1 || p.repeats == 0 && (p.size < 1 || len(p.data) != p.size) || p.repeats != 0 && p.data != nil {
				t.Errorf("%+v is inconsistent", p)
			}
		}
	})
}

func TestMemoryForgetsWithTheServer(t *testing.T) {
	m := newMemory()
	for number := 1; number <= session.RecordPackets+10; number++ {
		m.keep(number, []byte{1})
	}
	if m.data[10] != nil || m.data[11] == nil || len(m.data) != session.RecordPackets || m.bytes != session.RecordPackets {
		t.Errorf("%d packets are kept, %d bytes", len(m.data), m.bytes)
	}
	for number := 10_001; number <= 10_300; number++ {
		m.keep(number, make([]byte, longestPacket))
	}
	if m.bytes > session.RecordBytes || m.data[10_300] == nil || len(m.order) != len(m.data) {
		t.Errorf("%d bytes are kept in %d packets, %d in order", m.bytes, len(m.data), len(m.order))
	}
}
