package tools

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestReadPacket(t *testing.T) {
	b := newBench(t, AssistFix)
	b.receive(request)
	b.receive(request)
	text, err := b.call("read_packet", `{"max_packets": 1, "settle_ms": 0, "max_bytes": 32}`)
	lines := strings.Split(text, "\n")
	if err != nil || len(lines) != 5 ||
		!strings.HasPrefix(lines[0], "#1 84 bytes, waited 0") ||
		!strings.HasSuffix(lines[0], ": IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq 1, checksums ok") ||
		!strings.HasPrefix(lines[1], "0: 4500 0054 1a11 4000 4001 ") ||
		!strings.HasPrefix(lines[2], "16: 0a4d 0002 0800 ") ||
		lines[3] != "+ 52 more bytes" ||
		lines[4] != "1 more queued, 0 dropped" {
		t.Errorf("read_packet gave %v\n%s", err, text)
	}
}

func TestReadPacketWithAssistNone(t *testing.T) {
	b := newBench(t, AssistNone)
	syn := "45000028 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000001 00000000 5002 ffff 0000 0000"
	b.receive(syn)
	b.receive(syn)
	text, err := b.call("read_packet", `{"settle_ms": 0}`)
	if err != nil || strings.Contains(text, "TCP") || strings.Contains(text, "checksum") || strings.Contains(text, "retransmission") || strings.Count(text, "\n0: 4500 0028") != 2 {
		t.Errorf("want only bytes with assist none, got %v\n%s", err, text)
	}
	if text, err = b.call("hexdump", `{"packet": 1}`); err != nil || strings.Contains(text, "checksum") || !strings.Contains(text, "4500 0028") {
		t.Errorf("want a plain dump with assist none, got %v\n%s", err, text)
	}
	if _, err = b.call("write_packet", `{"packets": [{"reply_to": 1, "append_text": "x"}]}`); err == nil || !strings.Contains(err.Error(), `unknown argument "packets[0].append_text"; accepted: hex, copy, reply_to, reply_to_each, cut, patch, patch_each, prepend, append. `) {
		t.Errorf("append_text: %v", err)
	}
	for name, tool := range b.tools { // the descriptions must not offer more
		schema, _ := json.Marshal(tool.Schema)
		for _, word := range []string{"append_text", "fields", "summary", "retransmission", "not sent", "filled in", `"check"`} {
			if offered := tool.Description + string(schema); strings.Contains(offered, word) {
				t.Errorf("with assist none, %s mentions %q: %s", name, word, offered)
			}
		}
	}
	text, err = b.call("write_packet", `{"packets": [{"reply_to": 1}]}`)
	if err != nil || text != "#3 40 bytes written" {
		t.Errorf("with assist none, write_packet should say only how many bytes, got %q, %v", text, err)
	}
}

// If a link was ended on purpose, the error does not ask the user to repair it.
func TestToolsOfALinkThatWasEnded(t *testing.T) {
	b := newBench(t, AssistFix)
	b.receive(request)
	if err := b.Session.End("the trial is over"); err != nil {
		t.Fatal(err)
	}
	if text, err := b.call("read_packet", `{}`); err != nil || !strings.HasPrefix(text, "#1 84 bytes") {
		t.Errorf("queued packets: %s, %v", text, err)
	}
	for tool, arguments := range map[string]string{"read_packet": `{}`, "write_packet": `{"packets": [{"reply_to": 1}], "then_read": {}}`} {
		_, err := b.call(tool, arguments)
		if err == nil || !strings.Contains(err.Error(), "the link has ended: the trial is over") || !strings.HasSuffix(err.Error(), ". No more packets will come, and none can be written") {
			t.Errorf("%s: %v", tool, err)
		}
	}
}

func TestReadPacketCollapsesRetransmissions(t *testing.T) {
	b := newBench(t, AssistFix)
	syn := "45000028 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000001 00000000 5002 ffff 0000 0000"
	b.receive(syn)
	b.receive(syn)
	text, err := b.call("read_packet", `{"settle_ms": 0}`)
	if err != nil || !strings.HasSuffix(text, "\n#2 40 bytes: retransmission of #1\n0 more queued, 0 dropped") {
		t.Errorf("got %v\n%s", err, text)
	}
}

// A retransmission says whether it was sent before or after the answer. Before
// means it is already answered; after means the answer may be lost.
func TestRetransmissionAroundTheAnswer(t *testing.T) {
	b := newBench(t, AssistFix)
	syn := "45000028 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000001 00000000 5002 ffff 0000 0000"
	b.receive(syn)
	if _, err := b.call("read_packet", `{"settle_ms": 0}`); err != nil {
		t.Fatal(err)
	}
	b.receive(syn)
	text, err := b.call("write_packet", `{"assist": "fix", "then_read": {"settle_ms": 0, "timeout_ms": 0}, "packets": [{"reply_to": 1, "cut": 40,
		"patch": {"12": "0a4d00020a4d0001", "20": "00501388", "24": "00001000 00000002", "32": "5012ffff"}}]}`)
	if err != nil || !strings.Contains(text, "\n#2 40 bytes: retransmission of #1, sent before your answer #3\n") {
		t.Errorf("got %v\n%s", err, text)
	}
	b.receive(syn)
	text, err = b.call("read_packet", `{"settle_ms": 0}`)
	if err != nil || !strings.HasPrefix(text, "#4 40 bytes: retransmission of #1, sent after your answer #3, which may be lost: copy it to send it again\n") {
		t.Errorf("got %v\n%s", err, text)
	}
	text, err = b.call("write_packet", `{"packets": [{"copy": 3}]}`)
	if err != nil || !strings.HasPrefix(text, "#5 40 bytes written: ") || !strings.HasSuffix(text, ", checksums ok, retransmission of #3") {
		t.Errorf("got %v\n%s", err, text)
	}
}

func TestNothingCame(t *testing.T) {
	b := newBench(t, AssistFix)
	text, err := b.call("read_packet", `{"timeout_ms": 0}`)
	if want := "no packet in 0 ms (tun0 up, private network, 0 packets so far; the user can ping it with: tun-mcp exec -- ping 10.77.0.2)"; err != nil || text != want {
		t.Errorf("got %q, %v\nwant %q", text, err, want)
	}
}

func TestReadCancelled(t *testing.T) {
	b := newBench(t, AssistFix)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.tools["read_packet"].Call(ctx, json.RawMessage(`{}`))
	if err == nil || !strings.Contains(err.Error(), "all are still there for the next read") {
		t.Errorf("got %v", err)
	}
	ended, end := context.WithCancelCause(t.Context()) // as when the server ends
	end(errors.New("interrupt signal received"))
	_, err = b.tools["read_packet"].Call(ended, json.RawMessage(`{}`))
	if want := "the read was cancelled and took no packet: this server is ending (interrupt signal received)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
