package tools

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// ping returns an echo request in hex; seq also sets its IPv4 identification.
func ping(seq int) string {
	return fmt.Sprintf("45000054 %04x4000 40010000 0a4d0001 0a4d0002 0800 0000 3ae6 %04x"+payload, 0x1a10+seq, seq)
}

// newHostBench returns a bench whose host knows its own addresses.
func newHostBench(t *testing.T, assist Assist) *bench {
	b := newBench(t, assist)
	b.Own = []netip.Addr{netip.MustParseAddr("10.77.0.2"), netip.MustParseAddr("2001:db8:77::2")}
	return b
}

// times matches the times in a result, which differ from run to run.
var times = regexp.MustCompile(`\d[0-9.]*(-[0-9.]+)? s\b`)

func timeless(text string) string { return times.ReplaceAllString(text, "T s") }

// reply_to_each sends the same bytes as one element for each packet, at every
// level of assist.
func TestReplyToEach(t *testing.T) {
	for _, assist := range levels {
		var sent [2][]string
		for form := range sent {
			b := newHostBench(t, assist)
			var elements, sums, numbers []string
			for seq := 1; seq <= 5; seq++ {
				data := b.receive(ping(seq))
				sum := hex.EncodeToString(reply(data)[22:24])
				sums, numbers = append(sums, fmt.Sprintf("%q", sum)), append(numbers, fmt.Sprint(seq))
				elements = append(elements, fmt.Sprintf(`{"reply_to": %d, "patch": {"12": "0a4d00020a4d0001", "20": "00", "22": "%s"}}`, seq, sum))
			}
			if form == 1 {
				elements = []string{fmt.Sprintf(`{"reply_to_each": [%s], "patch": {"12": "@16+4 @12+4", "20": "00"}, "patch_each": {"22": [%s]}}`, strings.Join(numbers, ","), strings.Join(sums, ","))}
			}
			text, err := b.call("write_packet", fmt.Sprintf(`{"packets": [%s]}`, strings.Join(elements, ",")))
			want := "#6-#10: 5 packets written, 84 bytes each: ICMP echo replies id 15078 seq 1-5, checksums ok, T s after #1-#5"
			if assist == AssistNone {
				want = "#6-#10: 5 packets written, 84 bytes each"
			}
			if err != nil || timeless(text) != want {
				t.Errorf("%s: %v\n%s\nwant\n%s", assist, err, text, want)
			}
			sent[form] = b.sent()
		}
		if strings.Join(sent[0], "\n") != strings.Join(sent[1], "\n") || len(sent[0]) != 5 {
			t.Errorf("%s: one each\n%s\ntogether\n%s", assist, strings.Join(sent[0], "\n"), strings.Join(sent[1], "\n"))
		}
	}
}

// A wrong list refuses the whole call, before anything is sent.
func TestListsRefused(t *testing.T) {
	numbers := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprint(i + 1)
		}
		return strings.Join(all, ",")
	}
	for _, test := range []struct{ packets, want string }{
		{`{"reply_to_each": [1, 2], "reply_to": 1}`, "packets[0]: reply_to_each and reply_to are both given"},
		{`{"reply_to_each": [1, 2], "copy": 1}`, "packets[0]: reply_to_each and copy are both given"},
		{`{"reply_to_each": [1, 2], "hex": "45"}`, "packets[0]: reply_to_each and hex are both given"},
		{`{"reply_to": 1}, {"reply_to_each": [1, 2], "patch_each": {"22": ["0000", "0000", "0000"]}}`, "packets[1]: patch_each has 3 values at 22, but reply_to_each has 2 numbers"},
		{`{"reply_to_each": []}`, "packets[0].reply_to_each has 0 elements; accepted: an array of 1 to 64 whole numbers"},
		{`{"reply_to_each": [1, 1]}`, "packets[0]: reply_to_each has #1 twice"},
		{`{"reply_to_each": [0]}`, "packets[0].reply_to_each[0] is 0; accepted: a whole number from 1"},
		{`{"reply_to_each": ["1"]}`, `packets[0].reply_to_each[0] is the string "1"; accepted: a whole number from 1`},
		{`{"reply_to_each": [` + numbers(65) + `]}`, "packets[0].reply_to_each has 65 elements"},
		{`{"reply_to_each": [` + numbers(60) + `]}, {"reply_to_each": [` + numbers(5) + `]}`, "the call has 66 packets; accepted: up to 64"},
		{`{"reply_to": 1, "patch_each": {"22": ["0000"]}}`, "packets[0]: patch_each needs reply_to_each"},
		{`{"reply_to_each": [1, 2], "patch": {"22": "00"}, "patch_each": {"22": ["0000", "0000"]}}`, "packets[0]: patch and patch_each both have the offset 22"},
		{`{"reply_to_each": [1, 2], "patch_each": {"22": "0000"}}`, `packets[0].patch_each.22 is the string "0000"; accepted: an array of strings`},
		{`{"reply_to_each": [1, 2], "patch_each": {"22": ["0000", 7]}}`, `packets[0].patch_each.22[1] is 7; accepted: a string`},
		{`{"reply_to": 1, "patch": {"12": "@82+4"}}`, "packets[0]: patch at 12 (reply to #1): @82+4 reaches beyond the 84 bytes that it copies from"},
		{`{"reply_to": 1, "patch": {"12": "@12+0"}}`, "@12+0 copies no bytes"},
		{`{"reply_to": 1, "patch": {"12": "@12"}}`, `"@12" is not a copy; accepted: @OFFSET+LENGTH`},
		{`{"reply_to": 1, "patch": {"12": "@1x+4"}}`, `"@1x+4" is not a copy`},
		{`{"reply_to": 1, "patch": {"12": "@+1+4"}}`, `"@+1+4" is not a copy`},
		{`{"reply_to": 1, "patch": {"12": "@99999999999999999999+1"}}`, "reaches beyond"},
		{`{"reply_to_each": [1, 2], "patch_each": {"22": ["0000", "@90+1"]}}`, "packets[0]: patch at 22 (reply to #2): @90+1 reaches beyond"},
	} {
		b := newHostBench(t, AssistFix)
		b.receive(ping(1))
		b.receive(ping(2))
		// The call also has a good packet, which must not be sent either.
		text, err := b.call("write_packet", `{"packets": [`+test.packets+`, {"reply_to": 1, "patch": {"12": "@16+4 @12+4", "20": "00"}}], "assist": "fix"}`)
		if err == nil || !strings.Contains(err.Error(), test.want) || len(b.sent()) > 0 {
			t.Errorf("%s: %q, %v\nwant %q", test.packets, text, err, test.want)
		}
	}
	for _, where := range []string{`"append": "@12+4"`, `"prepend": "@12+4"`, `"hex": "@12+4"`} {
		b := newHostBench(t, AssistFix)
		b.receive(ping(1))
		if _, err := b.call("write_packet", `{"packets": [{"reply_to": 1, `+where+`}]}`); err == nil || !strings.Contains(err.Error(), "@OFFSET+LENGTH works only in patch and patch_each") || len(b.sent()) > 0 {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// An unknown number is refused on its own; the other packets are sent.
func TestUnknownNumberAmongGood(t *testing.T) {
	b := newHostBench(t, AssistFix)
	b.receive(ping(1))
	b.receive(ping(2))
	text, err := b.call("write_packet", `{"packets": [{"reply_to_each": [1, 9, 2], "patch": {"12": "@16+4 @12+4", "20": "00"}}], "assist": "fix", "then_read": {}}`)
	want := "#3 84 bytes written: IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 15078 seq 1, checksums ok, T s after #1\n" +
		"packet 2 (reply to #9): there is no packet #9: the record holds #1 to #3\n" +
		"#4 84 bytes written: IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 15078 seq 2, checksums ok, T s after #2\n" +
		"1 of 3 packets not sent, so then_read was skipped: correct and write again"
	if err != nil || timeless(text) != want || len(b.sent()) != 2 {
		t.Errorf("%v\n%s\nwant\n%s", err, text, want)
	}
}

// Copies come from the packet as it was before cut and patch.
func TestPatchCopiesTheStart(t *testing.T) {
	b := newHostBench(t, AssistFix)
	data := b.receive(ping(1))
	if _, err := b.call("write_packet", `{"packets": [{"copy": 1, "cut": 30, "patch": {"12": "@16+4 @12+4", "20": "00 @83+1", "28": "@80+2"}}], "assist": "none"}`); err != nil {
		t.Fatal(err)
	}
	want := append([]byte(nil), data[:30]...)
	copy(want[12:], data[16:20])
	copy(want[16:], data[12:16])
	want[20], want[21] = 0, data[83]
	copy(want[28:], data[80:82])
	if sent := b.sent(); len(sent) != 1 || sent[0] != hex.EncodeToString(want) {
		t.Errorf("sent %v\nwant %x", sent, want)
	}
}

// A result that differs from its neighbours has its own line.
func TestResultLines(t *testing.T) {
	b := newHostBench(t, AssistFix)
	for seq := range 4 {
		b.receive(ping(seq + 1))
	}
	swap := `"patch": {"12": "@16+4 @12+4", "20": "00"}`
	text, err := b.call("write_packet", `{"packets": [{"reply_to": 1, `+swap+`}, {"reply_to": 3, `+swap+`}, `+
		`{"reply_to": 4, "patch": {"12": "0a4d0009 @12+4", "20": "00"}}, {"reply_to": 2, `+swap+`}, {"copy": 1}, {"copy": 1}], "assist": "fix"}`)
	want := "#5-#6: 2 packets written, 84 bytes each: ICMP echo replies id 15078 seq 1, 3, checksums ok, T s after #1, #3\n" +
		"#7 84 bytes written: IPv4 10.77.0.9 > 10.77.0.1 ICMP echo reply id 15078 seq 4, checksums ok (its source is not yours, 10.77.0.2), T s after #4\n" +
		"#8 84 bytes written: IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 15078 seq 2, checksums ok, T s after #2\n" +
		"#9 84 bytes written: IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq 1, checksums ok (its source is not yours, 10.77.0.2)\n" +
		"#10 84 bytes written: IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq 1, checksums ok (its source is not yours, 10.77.0.2)"
	if err != nil || timeless(text) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, text, want)
	}
}

// A packet that resembles an earlier one is shown as a difference. A damaged or
// foreign packet is shown as a summary.
func TestReadByDifferences(t *testing.T) {
	b := newHostBench(t, AssistFix)
	b.receive(ping(1))
	b.receive(ping(2))
	b.receive("45000020 00000000 40110000 0a4d0001 0a4d0002 3039 0007 000c 0000 68656c6c")
	b.receive("45000020 00010000 40110000 0a4d0001 0a4d0002 3039 0007 000c 0000 68656c70")
	b.receive("45000020 00010000 40110000 0a4d0001 0a4d0002 3038 0007 000c 0000 68656c70") // another port
	b.receive("45000020 00010000 40110000 0a4d0001 0a4d0009 3039 0007 000c 0000 68656c70") // another host
	damaged := b.receive(ping(3))
	damaged[30]++
	b.receiveRaw(damaged)
	text, err := b.call("read_packet", `{"settle_ms": 0}`)
	want := `#1 84 bytes, waited T s: IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq 1, checksums ok
0: 4500 0054 1a11 4000 4001 0bfc 0a4d 0001
16: 0a4d 0002 0800 ec9b 3ae6 0001 1830 036b
32: 0000 0000
+ 48 more bytes
#2 waited T s: seq 2, checksums ok; as #1 but 4: 1a12 10: 0bfb 22: ec9a 26: 0002
#3 32 bytes, waited T s: IPv4 10.77.0.1:12345 > 10.77.0.2:7 UDP len 4, checksums ok
0: 4500 0020 0000 0000 4011 6631 0a4d 0001
16: 0a4d 0002 3039 0007 000c e627 6865 6c6c
#4 waited T s: as #3 but 4: 0001 10: 6630 26: e623 30: 6c70
#5 32 bytes, waited T s: IPv4 10.77.0.1:12344 > 10.77.0.2:7 UDP len 4, checksums ok
0: 4500 0020 0001 0000 4011 6630 0a4d 0001
16: 0a4d 0002 3038 0007 000c e624 6865 6c70
#6 32 bytes, waited T s: IPv4 10.77.0.1:12345 > 10.77.0.9:7 UDP len 4, checksums ok
#7 waited T s: seq 3, checksums ok; as #1 but 4: 1a13 10: 0bfa 22: ec99 26: 0003
#8 84 bytes, waited T s: IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq 3, ICMP checksum is 0xec99, should be 0xeb99
0 more queued, 0 dropped`
	if err != nil || timeless(text) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, timeless(text), want)
	}
	// With max_bytes, every packet shows that many bytes.
	b.receive(ping(4))
	b.receive("45000020 00010000 40110000 0a4d0001 0a4d0009 3039 0007 000c 0000 68656c70")
	if text, err = b.call("read_packet", `{"settle_ms": 0, "max_bytes": 24}`); err != nil || strings.Count(text, "\n16: 0a4d 000") != 2 || !strings.Contains(text, "\n+ 60 more bytes\n") {
		t.Errorf("%v\n%s", err, text)
	}
	// With assist none, packets are shown in full, without summaries.
	b = newHostBench(t, AssistNone)
	b.receive(ping(1))
	b.receive(ping(2))
	if text, err = b.call("read_packet", `{"settle_ms": 0}`); err != nil || strings.Count(text, "\n80: ") != 2 || strings.Contains(text, "as #") {
		t.Errorf("with none: %v\n%s", err, text)
	}
}

// A bare ACK is shown but does not end a wait, unless settle_ms is 0. With assist
// fix, a segment shows the acknowledgment number that covers it.
func TestBareAckEndsNoWait(t *testing.T) {
	const ack = "45000028 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000002 00000010 5010 ffff 0000 0000"
	const data = "4500002b 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000002 00000010 5018 ffff 0000 0000 616263"
	for _, assist := range []Assist{AssistCheck, AssistFix} {
		b := newHostBench(t, assist)
		b.receive(ack)
		began := time.Now()
		go func() {
			<-time.After(50 * time.Millisecond)
			b.receive(data)
		}()
		text, err := b.call("read_packet", `{"timeout_ms": 20000, "settle_ms": 1}`)
		next := map[Assist]string{AssistCheck: "", AssistFix: ", next 0x00000005"}[assist]
		if err != nil || !strings.Contains(text, "TCP ACK seq 0x00000002 ack 0x00000010 win 65535 len 0, checksums ok\n") ||
			!strings.Contains(text, "TCP PSH ACK seq 0x00000002 ack 0x00000010 win 65535 len 3, checksums ok"+next+"\n") || time.Since(began) > 15*time.Second {
			t.Errorf("%s: %v after %v\n%s", assist, err, time.Since(began), text)
		}
		b.receive(ack)
		if text, err = b.call("read_packet", `{"timeout_ms": 20000, "settle_ms": 0}`); err != nil || !strings.HasPrefix(text, "#3 40 bytes") {
			t.Errorf("%s, settle_ms 0: %v\n%s", assist, err, text)
		}
		if text, err = b.call("read_packet", `{"timeout_ms": 0}`); err != nil || !regexp.MustCompile(`^no packet in 0 ms \(tun0 up, private network, 3 packets so far, 0 written; the last came [0-9.]+ s ago\)$`).MatchString(text) {
			t.Errorf("%s, nothing: %v\n%s", assist, err, text)
		}
	}
}

// Repeats of one segment share a line.
func TestRepeatsShareALine(t *testing.T) {
	b := newHostBench(t, AssistFix)
	const syn = "45000028 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000001 00000000 5002 ffff 0000 0000"
	for range 4 {
		b.receive(syn)
	}
	text, err := b.call("read_packet", `{"settle_ms": 0}`)
	if err != nil || !strings.HasSuffix(text, "\n#2-#4: 3 times #1\n0 more queued, 0 dropped") {
		t.Fatalf("%v\n%s", err, text)
	}
	b.receive(syn)
	b.receive(syn)
	if _, err = b.call("write_packet", `{"packets": [{"reply_to": 1, "patch": {"12": "@16+4 @12+4", "20": "@22+2 @20+2", "24": "00000010 00000002 5012"}}], "assist": "fix"}`); err != nil {
		t.Fatal(err)
	}
	b.receive(syn)
	text, err = b.call("read_packet", `{"settle_ms": 0}`)
	want := "#5-#6: 2 times #1, sent before your answer #7\n#8 40 bytes: retransmission of #1, sent after your answer #7, which may be lost: copy it to send it again\n0 more queued, 0 dropped"
	if err != nil || text != want {
		t.Errorf("%v\n%s\nwant\n%s", err, text, want)
	}
}
