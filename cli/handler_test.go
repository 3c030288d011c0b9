package cli

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// handler try runs a program on each kind of capture. It shows the packets that the
// program sends and passes on, its failures and its log.
func TestHandlerTry(t *testing.T) {
	request, err := packet.ParseHex("4500 0020 64bb 4000 4001 c185 0a4d 0001 0a4d 0002 0800 49aa ac50 0001 0001 0203")
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(request)
	other[9] = 17
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	recording := packet.CaptureHeader("test")
	for _, p := range []packet.Captured{
		{FromPeer: true, Time: began, Data: request},
		{Time: began.Add(time.Millisecond), Data: request}, // the agent's: not handled
		{FromPeer: true, Time: began.Add(time.Second), Data: other},
		{FromPeer: true, Time: began.Add(time.Hour), Data: request},
	} {
		recording = p.AppendTo(recording)
	}
	pcap := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	pcap = append(pcap, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0)
	for _, data := range [][]byte{request, other} {
		for _, n := range []int{1, 2, len(data), len(data)} {
			pcap = binary.LittleEndian.AppendUint32(pcap, uint32(n))
		}
		pcap = append(pcap, data...)
	}
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ping := "def handle(p):\n  if p[9] != 1:\n    log('protocol', p[9])\n    return None\n  p.swap(12, 16, 4)\n  p[20] = 0\n  p.put16(22, p.u16(22) + 0x0800)\n  return [p]\n"
	for name, c := range map[string]struct {
		source, capture string
		flags           []string
		want            []string
		not             string
		status          int
	}{
		"recording": {ping, string(recording), nil, []string{
			"#1 32 bytes: IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request",
			"  sends 32 bytes: IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 44112 seq 1, checksums ok", "  passed on to the agent", "log: protocol 17",
			"3 packets: 2 answered, 0 dropped, 1 passed on, 0 failed; 2 packets would be sent; "}, "#2", 0},
		"pcap":  {ping, string(pcap), nil, []string{"2 packets: 1 answered, 0 dropped, 1 passed on"}, "refused", 0},
		"count": {ping, string(pcap), []string{"-n", "1"}, []string{"1 packets: 1 answered"}, "log", 0},
		"quiet": {ping, string(pcap), []string{"-q"}, []string{"2 packets: 1 answered"}, "#1", 0},
		"fails": {"def handle(p):\n  return p.ttl()", string(pcap), []string{"-q"}, []string{"#1 32 bytes", "  fails: x.star:2:12: a packet has no ttl", "2 packets: 0 answered, 0 dropped, 0 passed on, 2 failed"}, "", 1},
		"refused": {"def handle(p):\n  p[31] = 9\n  return [p]", string(pcap), nil, []string{
			"refused: ICMP checksum is 0x49aa", "\n  so none is sent, and the agent gets the packet\n",
			"2 packets: 0 answered, 0 dropped, 0 passed on, 2 failed; 0 packets would be sent, 2 refused"}, "", 1},
		"one refused": {"def handle(p):\n  q = p.copy()\n  q[31] = 9\n  return [p, q]", string(pcap), []string{"-n", "1"}, []string{
			"1 packets: 0 answered, 0 dropped, 0 passed on, 1 failed; 0 packets would be sent, 1 refused"}, "", 1},
		"none": {"def handle(p):\n  p[31] = 9\n  return [p]", string(pcap), []string{"--assist", "none"}, []string{"2 packets: 2 answered"}, "refused", 0},
		"mtu":  {"def handle(p):\n  return [p]", string(pcap), []string{"--mtu", "68", "--assist", "none"}, []string{"2 packets: 2 answered"}, "refused", 0},
		"tick": {"def handle(p):\n  return []\ndef tick(ms):\n  log(ms)\n  return [packet(3)]", string(recording), []string{"-q"}, []string{"tick at 0.1 s\n", "refused: IP version is 0", "log: 3", "3 packets: 0 answered, 3 dropped"}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := newCommand(os.Stdout)
			var out bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetArgs(append([]string{"handler", "try", file("x.star", c.source), file("capture", c.capture)}, c.flags...))
			status := 0
			if err := cmd.ExecuteContext(t.Context()); err != nil {
				status = exitStatus(err)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the output lacks %q", want)
				}
			}
			if status != c.status || c.not != "" && strings.Contains(out.String(), c.not) {
				t.Errorf("status %d, want %d; the output must not contain %q", status, c.status, c.not)
			}
			if t.Failed() {
				t.Log(out.String()[:min(out.Len(), 3000)])
			}
		})
	}
	for _, arguments := range [][]string{{"x.star"}, {"x.star", "capture", "--mtu", "3"}, {"x.star", "capture", "--assist", "all"}, {"x.star", "capture", "-n", "-1"}} {
		cmd := newCommand(os.Stdout)
		cmd.SetOut(new(bytes.Buffer))
		cmd.SetArgs(append([]string{"handler", "try"}, arguments...))
		if err := cmd.ExecuteContext(t.Context()); err == nil || exitStatus(err) != wrongUsage {
			t.Errorf("%q: %v", arguments, err)
		}
	}
}
