package tools

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// request is an echo request: 84 bytes, id 15078, seq 1.
const request = "45000054 1a114000 40010c45 0a4d0001 0a4d0002 0800 0000 3ae6 0001" + payload

const payload = "1830036b00000000 0123456789abcdef 0123456789abcdef 0123456789abcdef 0123456789abcdef 0123456789abcdef 0123456789abcdef"

// bench is a host with a fake device, for tests of tools.
type bench struct {
	*Host
	t      *testing.T
	device *tuntest.Device
	tools  map[string]Tool
}

func newBench(t *testing.T, assist Assist) *bench {
	d := tuntest.NewDevice()
	s := session.New(d, session.Config{MTU: 1500, Check: assist != AssistNone})
	t.Cleanup(func() { s.Close() })
	h := &Host{Session: s, Assist: assist, Status: func() session.Status {
		return s.Fill(session.Status{Device: "tun0", Link: "up", Network: "private", PingWith: "tun-mcp exec -- ping 10.77.0.2"})
	}}
	b := &bench{Host: h, t: t, device: d, tools: map[string]Tool{}}
	for _, tool := range h.All() {
		b.tools[tool.Name] = tool
	}
	return b
}

// receive fixes a packet, puts it into the queue as if the peer had sent it, and
// returns its bytes.
func (b *bench) receive(text string) []byte {
	b.t.Helper()
	data, err := packet.ParseHex(text)
	if err == nil {
		data, err = packet.Fix(data)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.receiveRaw(data)
	return data
}

func (b *bench) receiveRaw(data []byte) {
	b.t.Helper()
	if _, err := b.Session.Inject(data); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) call(tool, arguments string) (string, error) {
	return b.tools[tool].Call(b.t.Context(), json.RawMessage(arguments))
}

// sent returns the packets that the device got since the last call, in hex.
func (b *bench) sent() []string {
	var all []string
	for {
		select {
		case p := <-b.device.ToPeer:
			all = append(all, hex.EncodeToString(p))
		default:
			return all
		}
	}
}

// reply returns the exact echo reply to a request.
func reply(request []byte) []byte {
	r := append([]byte(nil), request...)
	copy(r[12:16], request[16:20])
	copy(r[16:20], request[12:16])
	r[20] = 0
	fixed, err := packet.Fix(r)
	if err != nil {
		panic(err)
	}
	return fixed
}

func TestLinkGone(t *testing.T) {
	b := newBench(t, AssistFix)
	b.device.Fail(fmt.Errorf("the device tun0 was deleted"))
	<-b.Session.Done()
	for _, call := range []struct{ tool, arguments string }{
		{"read_packet", `{}`},
		{"write_packet", `{"packets": [{"hex": "` + request + `"}], "assist": "fix"}`},
		{"write_packet", `{"packets": [{"hex": "` + request + `"}], "assist": "check"}`}, // also faulty, but the end of the link matters more
		{"write_packet", `{"packets": [{"hex": "zz"}, {"copy": 9}]}`},
	} {
		_, err := b.call(call.tool, call.arguments)
		if err == nil || !strings.Contains(err.Error(), "tun0 was deleted") || !strings.HasSuffix(err.Error(), linkGone(err)) {
			t.Errorf("%s %s: %v", call.tool, call.arguments, err)
		}
	}
}

func TestBadInput(t *testing.T) {
	full := strings.ReplaceAll(request, " ", "")
	tests := []struct {
		name, tool, arguments string
		want                  []string // all in the error
	}{
		{"a number below 1", "read_packet", `{"timeout_ms": 0.0001}`, []string{"timeout_ms is 0.0001", "0 to 90000"}},
		{"a number that a float takes for 0", "read_packet", `{"timeout_ms": 1e-400}`, []string{"timeout_ms is 1e-400", "0 to 90000"}},
		{"a number that a float takes for 1", "read_packet", `{"max_packets": 1.00000000000000000001}`, []string{"max_packets is 1.0000"}},
		{"a number of 400 digits", "read_packet", `{"max_packets": 1e400}`, []string{"max_packets is 1e400"}},
		{"an exponent of 20 digits", "read_packet", `{"max_packets": 1e99999999999999999999}`, []string{"max_packets is 1e99"}},
		{"stray character", "write_packet", `{"packets": [{"hex": "4500 0g54"}]}`, []string{"packet 1: ", "'g'", "position 6"}},
		{"odd digit", "write_packet", `{"packets": [{"hex": "4500 005"}]}`, []string{"packet 1: ", "'5'", "position 7"}},
		{"empty packet", "write_packet", `{"packets": [{"hex": ""}]}`, []string{"empty"}},
		{"version 5", "write_packet", `{"packets": [{"hex": "55000014000000000000000000000000000000 00"}]}`, []string{"version is 5"}},
		{"shorter than its header", "write_packet", `{"packets": [{"hex": "4500"}]}`, []string{"2 bytes", "20"}},
		{"over the MTU", "write_packet", `{"packets": [{"hex": "45` + strings.Repeat("00", 1500) + `"}], "assist": "none"}`, []string{"1501", "MTU", "1500"}},
		{"patch outside", "write_packet", `{"packets": [{"reply_to": 1, "patch": {"83": "0000"}}]}`, []string{"83", "84"}},
		{"patches overlap", "write_packet", `{"packets": [{"reply_to": 1, "patch": {"12": "0a4d0002", "14": "00"}}]}`, []string{"12", "14", "overlap"}},
		{"key not an offset", "write_packet", `{"packets": [{"reply_to": 1, "patch": {"ttl": "40"}}]}`, []string{`"ttl"`, "offset"}},
		{"never seen", "write_packet", `{"packets": [{"reply_to": 99}]}`, []string{"packet 1 (reply to #99)", "there is no packet #99: the record holds #1 to #1"}},
		{"copy never seen", "write_packet", `{"packets": [{"copy": 99}]}`, []string{"there is no packet #99"}},
		{"hex and copy", "write_packet", `{"packets": [{"hex": "45", "copy": 1}]}`, []string{"hex and copy are both given"}},
		{"nothing to start from", "write_packet", `{"packets": [{}]}`, []string{"nothing to start from", "hex", "copy", "reply_to"}},
		{"cut beyond the end", "write_packet", `{"packets": [{"copy": 1, "cut": 85}]}`, []string{"cut is 85", "84 bytes"}},
		{"bad append", "write_packet", `{"packets": [{"copy": 1, "append": "zz"}]}`, []string{"append: ", "'z'"}},
		{"no packets", "write_packet", `{"packets": []}`, []string{"packets has 0 elements; accepted: an array of 1 to 64 objects"}},
		{"packets missing", "write_packet", `{}`, []string{"packets is missing"}},
		{"65 packets", "write_packet", `{"packets": [` + strings.TrimSuffix(strings.Repeat(`{"copy":1},`, 65), ",") + `]}`, []string{"packets has 65 elements"}},
		{"packets not an array", "write_packet", `{"packets": "4500"}`, []string{`packets is the string "4500"`, "an array of 1 to 64 objects"}},
		{"packet not an object", "write_packet", `{"packets": ["4500"]}`, []string{`packets[0] is the string "4500"`, "an object with hex, copy, reply_to"}},
		{"patch value not a string", "write_packet", `{"packets": [{"copy": 1, "patch": {"20": 0}}]}`, []string{"packets[0].patch.20 is 0", "a string"}},
		{"unknown in a packet", "write_packet", `{"packets": [{"bytes": "45"}]}`, []string{`unknown argument "packets[0].bytes"`, "accepted: hex, copy"}},
		{"unknown in then_read", "write_packet", `{"packets": [{"copy": 1}], "then_read": {"timeout": 1}}`, []string{`unknown argument "then_read.timeout"`, "timeout_ms"}},
		{"assist unknown", "write_packet", `{"packets": [{"copy": 1}], "assist": "some"}`, []string{`assist is the string "some"`, "one of none, check, fix"}},
		{"unknown argument", "read_packet", `{"timeout": 5}`, []string{`read_packet: unknown argument "timeout"; accepted: timeout_ms, max_packets, settle_ms, max_bytes`, "Example: {"}},
		{"wrong type", "read_packet", `{"timeout_ms": "5"}`, []string{`timeout_ms is the string "5"; accepted: a whole number from 0 to 90000`}},
		{"not a whole number", "read_packet", `{"max_packets": 1.5}`, []string{"max_packets is 1.5", "a whole number from 1 to 64"}},
		{"out of bounds", "read_packet", `{"timeout_ms": 90001}`, []string{"timeout_ms is 90001", "0 to 90000"}},
		{"too large for an int", "read_packet", `{"timeout_ms": 1e300}`, []string{"timeout_ms is 1e300"}},
		{"not an object", "read_packet", `[1]`, []string{"the argument list is an array of 1; accepted: an object with timeout_ms"}},
		{"not JSON", "read_packet", `{"a"`, []string{"not a JSON object"}},
		{"hexdump without arguments", "hexdump", `{}`, []string{"nothing to look at"}},
		{"hexdump of both", "hexdump", `{"packet": 1, "hex": "45"}`, []string{"both"}},
		{"hexdump never seen", "hexdump", `{"packet": 2}`, []string{"there is no packet #2"}},
		{"hexdump empty", "hexdump", `{"hex": " "}`, []string{"no bytes"}},
		{"fields not a bool", "hexdump", `{"packet": 1, "fields": "yes"}`, []string{`fields is the string "yes"; accepted: true or false`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, AssistFix)
			b.receive(full)
			text, err := b.call(test.tool, test.arguments)
			if err == nil {
				t.Fatalf("no error, said %q", text)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in the error:\n%v", want, err)
				}
			}
			if sent := b.sent(); len(sent) > 0 || b.Session.Queued() != 1 {
				t.Errorf("sent %v, %d queued: nothing should be sent and nothing lost", sent, b.Session.Queued())
			}
		})
	}
}

func TestForgottenNumber(t *testing.T) {
	b := newBench(t, AssistFix)
	for range session.RecordPackets + 1 {
		b.receiveRaw([]byte{0x45})
	}
	_, err := b.call("write_packet", `{"packets": [{"reply_to": 1}]}`)
	if err == nil || !strings.Contains(err.Error(), "packet #1 is forgotten: the record still holds #2 to #4097") {
		t.Errorf("got %v", err)
	}
}

func TestCeiling(t *testing.T) {
	b := newBench(t, AssistCheck)
	data := b.receive(request)
	if _, err := b.call("write_packet", `{"packets": [{"copy": 1}], "assist": "fix"}`); err == nil || !strings.Contains(err.Error(), `assist is "fix"; accepted by this server: none, check`) {
		t.Errorf("fix with --assist check: %v", err)
	}
	schema, _ := json.Marshal(b.tools["write_packet"].Schema)
	if strings.Contains(string(schema), `"enum":["none","check","fix"]`) || !strings.Contains(string(schema), `"enum":["none","check"]`) {
		t.Errorf("the schema should list only the allowed levels: %s", schema)
	}
	bad := reply(data)
	bad[23]++
	if _, err := b.call("write_packet", fmt.Sprintf(`{"packets": [{"hex": "%x"}]}`, bad)); err == nil {
		t.Error("the default is check: a faulty packet should be refused")
	}
	b = newBench(t, AssistFix)
	b.receive(request)
	if _, err := b.call("write_packet", `{"packets": [{"reply_to": 1, "append_text": "x"}], "assist": "none"}`); err == nil || !strings.Contains(err.Error(), "append_text needs assist check or fix") {
		t.Errorf("append_text: %v", err)
	}
	b = newBench(t, AssistNone)
	b.receive(request)
	if text, err := b.call("write_packet", fmt.Sprintf(`{"packets": [{"hex": "%x"}]}`, bad)); err != nil || text != "#2 84 bytes written" {
		t.Errorf("with --assist none the default should be none: %q, %v", text, err)
	}
}
