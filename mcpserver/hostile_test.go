package mcpserver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tools"
)

// TestHostilePackets sends every text of the table to the agent, on the way of all
// packets: device, session, tool, MCP. Each result must consist of the server's own
// lines. Apart from numbers it must be the same as for a harmless text of the same
// length; then no part of the text has escaped from its place.
func TestHostilePackets(t *testing.T) {
	if len(hostiles) < 30 {
		t.Fatalf("%d texts", len(hostiles))
	}
	printed := captureStdout(t)
	for _, h := range hostiles {
		t.Run(h.name, func(t *testing.T) {
			for _, assist := range []tools.Assist{tools.AssistNone, tools.AssistCheck, tools.AssistFix} {
				for _, noASCII := range []bool{false, true} {
					theirs := play(newReader(t, assist, noASCII), h.packets(), noASCII)
					control := play(newReader(t, assist, noASCII), h.innocent(), noASCII)
					for i, e := range theirs {
						e.check(t, noASCII)
						sameLines(t, e.call, masked(e.result), masked(control[i].result))
					}
				}
			}
		})
	}
	if text := printed(); text != "" {
		t.Errorf("something was printed to stdout, which is for JSON-RPC only: %q", text)
	}
}

// sameLines checks that two masked results have the same lines.
func sameLines(t *testing.T, call, got, want string) {
	t.Helper()
	theirs, control := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(theirs) != len(control) {
		t.Errorf("%s: %d lines, but %d with a harmless text:\n%s", call, len(theirs), len(control), got)
		return
	}
	for i, line := range theirs {
		if line != control[i] {
			t.Errorf("%s: the text shows outside its place: %q, with a harmless text %q", call, line, control[i])
		}
	}
}

// exchange is a call and the text that it was answered with. Packets are those
// whose bytes it shows.
type saying struct {
	call, result string
	packets      [][]byte
}

// play receives packets and makes every call that an agent can make with them.
func play(r *reader, packets [][]byte, noASCII bool) []saying {
	r.t.Helper()
	var all []saying
	add := func(packets [][]byte, tool, arguments string, values ...any) {
		r.t.Helper()
		all = append(all, saying{tool + " " + arguments, r.call(tool, arguments, values...), packets})
	}
	number := 0
	for _, p := range packets {
		number++
		r.device.FromPeer(p)
		add([][]byte{p}, "read_packet", `{"max_packets": 1, "settle_ms": 0, "timeout_ms": 90000, "max_bytes": 65535}`)
		add([][]byte{p}, "hexdump", `{"packet": %d}`, number)
		if r.assist != tools.AssistNone {
			add([][]byte{p}, "hexdump", `{"packet": %d, "fields": false}`, number)
		}
		add([][]byte{p}, "hexdump", `{"hex": %q}`, bytesOf(p))
	}
	// The calls below write, and each packet that is sent takes the next number.
	for _, p := range packets {
		at := number - len(packets) + 1
		add(nil, "write_packet", `{"packets": [{"copy": 1}]}`)
		add(nil, "write_packet", `{"packets": [{"copy": 1}, {"reply_to": 1, "patch": {"0": "45"}}], "assist": "none"}`)
		add(nil, "write_packet", `{"packets": [{"hex": %q, "reply_to": 1}], "assist": "fix"}`, bytesOf(p))
		add(nil, "write_packet", `{"packets": [{"copy": %d, "cut": 19}]}`, at)
		add(nil, "write_packet", `{"packets": [{"copy": %d, "patch": {"0": "45"}, "append": "zz"}]}`, at)
	}
	r.device.FromPeer(packets[0])
	add(nil, "write_packet", `{"packets": [{"hex": %q}], "then_read": {"settle_ms": 0, "timeout_ms": 90000}}`, bytesOf(innocuous))
	add(nil, "read_packet", `{"timeout_ms": 0}`)
	return append(all, saying{call: "tun://status", result: r.status()})
}

// innocuous is a datagram that is sent at every level of assist.
var innocuous = build("45000000 00004000 40110000 0a4d0002 0a4d0001 0007 3039 0000 0000", nil)

// TestHostileArguments: if a model was talked into passing on a text, the error quotes
// it in short and in ASCII.
func TestHostileArguments(t *testing.T) {
	r := newReader(t, tools.AssistFix, false)
	r.device.FromPeer(innocuous)
	r.call("read_packet", `{"settle_ms": 0, "timeout_ms": 90000}`)
	for _, h := range hostiles {
		text, err := json.Marshal("x" + h.text) // the x makes it always invalid
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ tool, arguments string }{
			{"hexdump", `{"hex": TEXT}`},
			{"hexdump", `{"packet": TEXT}`},
			{"hexdump", `{TEXT: 1}`},
			{"read_packet", `{"timeout_ms": TEXT}`},
			{"read_packet", `TEXT`},
			{"write_packet", `{"packets": TEXT}`},
			{"write_packet", `{"packets": [TEXT]}`},
			{"write_packet", `{"packets": [{"copy": 1}], "assist": TEXT}`},
			{"write_packet", `{"packets": [{TEXT: 1}]}`},
			{"write_packet", `{"packets": [{"copy": 1, "patch": {TEXT: TEXT}}]}`},
			{"write_packet", `{"packets": [{"copy": 1, "patch": {TEXT: 1}}]}`},
			{"write_packet", `{"packets": [{"copy": 1, "patch": {"0": TEXT}}]}`},
			{"write_packet", `{"packets": [{"copy": 1, "append": TEXT}]}`},
			{"write_packet", `{"packets": [{"copy": 1}], "then_read": {TEXT: 1}}`},
		} {
			e := saying{call: h.name + ": " + c.tool + " " + c.arguments, result: r.call(c.tool, "%s", strings.ReplaceAll(c.arguments, "TEXT", string(text)))}
			e.checkRefusal(t)
		}
	}
}

// captureStdout collects all output to os.Stdout until the returned function is called.
func captureStdout(t *testing.T) func() string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdout")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = file
	t.Cleanup(func() { os.Stdout = stdout; file.Close() })
	return func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}
