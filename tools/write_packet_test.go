package tools

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// prepend puts the headers of an ICMP error in front of the packet that it quotes.
func TestPrepend(t *testing.T) {
	b := newBench(t, AssistFix)
	b.receive("4500 001f 1f59 0000 0111 85d9 0a4d0001 0a4d0002 d835 829a 000b 1e02 6869 0a")
	_, err := b.call("write_packet", `{"packets": [{"reply_to": 1, "cut": 28, "patch": {"8": "40"}, "append": "0000", "prepend": "4500 0038 0000 0000 4001 6629 0a4d0002 0a4d0001 0303 0000 0000 0000"}], "assist": "none"}`)
	if err != nil {
		t.Fatal(err)
	}
	const want = "450000380000000040016629" + "0a4d00020a4d0001" + "0303000000000000" + "4500001f1f590000401185d90a4d00010a4d0002d835829a000b1e02" + "0000"
	if sent := b.sent(); len(sent) != 1 || sent[0] != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}
	if _, err := b.call("write_packet", `{"packets": [{"reply_to": 1, "prepend": "0g"}]}`); err == nil || !strings.Contains(err.Error(), "prepend: ") {
		t.Errorf("wrong hex: %v", err)
	}
}

// The procedure of the guide works with every way to give the bytes.
func TestWritePacket(t *testing.T) {
	b := newBench(t, AssistFix)
	data := b.receive(request)
	if _, err := b.call("read_packet", `{"settle_ms": 0}`); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(reply(data))
	patch := fmt.Sprintf(`"patch": {"12": "0a4d00020a4d0001", "20": "00", "22": "%s"}`, want[44:48])
	tests := []struct{ name, packet, assist string }{
		{"a reply with a patch", `{"reply_to": 1, ` + patch + `}`, "check"},
		{"a copy with a patch", `{"copy": 1, ` + patch + `}`, "check"},
		{"all in hex", `{"hex": "` + want + `", "reply_to": 1}`, "check"},
		{"hex alone, paired by its flow", `{"hex": "` + want + `"}`, "none"},
		{"checksum filled in", `{"reply_to": 1, "patch": {"12": "0a4d00020a4d0001", "20": "0000ffff"}}`, "fix"},
		{"cut and appended again", `{"reply_to": 1, ` + patch + `, "cut": 80, "append": "` + want[160:] + `"}`, "check"},
	}
	for i, test := range tests {
		text, err := b.call("write_packet", fmt.Sprintf(`{"packets": [%s], "assist": %q}`, test.packet, test.assist))
		if sent := b.sent(); err != nil || len(sent) != 1 || sent[0] != want {
			t.Errorf("%s: %v, sent %v\nwant %s", test.name, err, sent, want)
		}
		line := fmt.Sprintf("#%d 84 bytes written", i+2)
		if test.assist != "none" {
			line += ": IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 15078 seq 1, checksums ok, "
		}
		if !strings.HasPrefix(text, line) || test.assist != "none" && !strings.HasSuffix(text, " s after #1") {
			t.Errorf("%s: said %q", test.name, text)
		}
	}
}

func TestAppendText(t *testing.T) {
	b := newBench(t, AssistFix)
	b.receive("45000020 00000000 40110000 0a4d0001 0a4d0002 3039 0007 000c 0000 68656c6c")
	_, err := b.call("write_packet", `{"packets": [{"reply_to": 1, "cut": 28, "patch": {"12": "0a4d00020a4d0001", "20": "00073039"}, "append_text": "hi\n"}], "assist": "fix"}`)
	if sent := b.sent(); err != nil || len(sent) != 1 || !strings.HasSuffix(sent[0], "68690a") || sent[0][4:8] != "001f" {
		t.Errorf("sent %v, %v", sent, err)
	}
}

func TestThenReadComesAfterWriting(t *testing.T) {
	b := newBench(t, AssistFix)
	data := b.receive(request)
	want := hex.EncodeToString(reply(data))
	text, err := b.call("write_packet", `{"packets": [{"hex": "`+want+`"}], "then_read": {"settle_ms": 0, "max_bytes": 20}}`)
	if err != nil || !strings.HasPrefix(text, "#2 84 bytes written: ") || !strings.Contains(text, "\n#1 84 bytes, waited ") || !strings.HasSuffix(text, "0 more queued, 0 dropped") {
		t.Errorf("got %v\n%s", err, text)
	}
}

func TestGoodOnesAreSentAndThenReadSkipped(t *testing.T) {
	b := newBench(t, AssistFix)
	data := b.receive(request)
	good := reply(data)
	bad := append([]byte(nil), good...)
	bad[23]--
	text, err := b.call("write_packet", fmt.Sprintf(`{"packets": [{"hex": "%x", "reply_to": 1}, {"hex": "%x"}], "then_read": {}}`, bad, good))
	if err != nil {
		t.Fatalf("one packet was sent, so want no error: %v", err)
	}
	lines := strings.Split(text, "\n")
	want := fmt.Sprintf("packet 1 (reply to #1): ICMP checksum is 0x%x, should be 0x%x", bad[22:24], good[22:24])
	if len(lines) != 3 || lines[0] != want || !strings.HasPrefix(lines[1], "#2 84 bytes written") || !strings.HasPrefix(lines[2], "1 of 2 packets not sent, so then_read was skipped") {
		t.Errorf("got\n%s\nwant first\n%s", text, want)
	}
	if sent := b.sent(); len(sent) != 1 || b.Session.Queued() != 1 {
		t.Errorf("sent %v, queued %d", sent, b.Session.Queued())
	}
}
