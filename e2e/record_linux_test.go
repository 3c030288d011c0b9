package e2e

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// captured is a frame as tshark shows it.
type captured struct {
	number, linkType, on, direction string
	ip, icmp                        string // verdicts on checksums: "1" is good
	kind, seq, answers, comment     string
}

// tshark reads a recording. If cut is true, half a frame may be at the end, as after
// the server was killed. tshark then fails, but prints the frames before it.
func tshark(t *testing.T, file string, cut bool) []captured {
	t.Helper()
	fields := []string{"frame.number", "frame.encap_type", "frame.interface_name", "frame.packet_flags_direction",
		"ip.checksum.status", "icmp.checksum.status", "icmp.type", "icmp.seq", "icmp.resp_to", "frame.comment"}
	args := []string{"-n", "-r", file, "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "occurrence=f"}
	for _, field := range fields {
		args = append(args, "-e", field)
	}
	cmd := exec.Command("tshark", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && !(cut && strings.Contains(stderr.String(), "cut short")) {
		t.Fatalf("tshark: %v\n%s", err, &stderr)
	}
	var all []captured
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != len(fields) {
			t.Fatalf("tshark said %q", line)
		}
		all = append(all, captured{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]})
	}
	return all
}

// Wireshark's numbers for values in a recording.
const (
	wiresharkRawIP = "7" // WTAP_ENCAP_RAW_IP
	inbound        = "0x00000001"
	outbound       = "0x00000002"
)

// checkPing checks one frame of a recorded ping: its number, its direction and its
// checksums.
func (f captured) checkPing(t *testing.T, at int) {
	t.Helper()
	want := captured{number: fmt.Sprint(at), linkType: wiresharkRawIP, on: "peer", direction: inbound, ip: "1", icmp: "1", kind: "8"}
	if f.kind == "0" {
		want.on, want.direction, want.kind, want.answers = "agent", outbound, "0", f.answers
		if prefix := fmt.Sprintf("#%d reply to #%s, ", at, f.answers); f.answers == "" || !strings.HasPrefix(f.comment, prefix) {
			t.Errorf("frame %d: comment %q, want %q…", at, f.comment, prefix)
		}
		f.comment = ""
	}
	f.seq = ""
	if f != want {
		t.Errorf("frame %d: got %+v, want %+v", at, f, want)
	}
}

// Wireshark's view of the kernel's ping in a recording.
func TestRecordPing(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	tuntest.RequireProgram(t, "tshark")
	file := filepath.Join(t.TempDir(), "ping.pcapng")
	c := startServer(t, modernEra, "--network", "private", "--record", file)
	damagedRequest := damaged(t, fmt.Sprintf(header4, "01")+"0800 1111 00070001", 2)
	data, err := hex.DecodeString(damagedRequest)
	if err != nil {
		t.Fatal(err)
	}
	c.inject(c.connect(), data)
	c.tool("read_packet", `{"max_packets": 1}`)

	const count = 50
	ping := c.command("exec", "--", "ping", "-q", "-i0.01", "-c", fmt.Sprint(count), "10.77.0.2")
	done := make(chan error, 1)
	go func() { done <- ping.Run() }()
	c.pingsWait(20)
	agent := &scripted{c: c, batch: 1}
	agent.run()
	if err := <-done; err != nil {
		t.Fatalf("ping: %v; agent %q; server: %s", err, agent.faults, c.errors())
	}
	want := c.status().Counters
	c.stdin.Close()
	<-c.closed
	if err := c.process.Wait(); err != nil {
		t.Error(err)
	}

	all := tshark(t, file, false)
	if len(all) != 1+2*count || uint64(len(all)) != want.Received+want.Written {
		t.Fatalf("%d frames of an injected packet and %d pings; the session counted %+v", len(all), count, want)
	}
	first := captured{"1", wiresharkRawIP, "peer", inbound, "1", "0", "8", "1", "", "#1 injected, not sent by the peer's stack"}
	if all[0] != first {
		t.Errorf("frame 1: got %+v, want %+v", all[0], first)
	}
	for i, f := range all[1:] {
		f.checkPing(t, i+2)
	}
}

// If the server is killed during a flood, the recording has every packet that its
// status has counted, which is all but the latest.
func TestRecordSurvivesKill(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	tuntest.RequireProgram(t, "tshark")
	file := filepath.Join(t.TempDir(), "killed.pcapng")
	c := startServer(t, modernEra, "--network", "private", "--record", file)
	ping := c.command("exec", "--", "ping", "-q", "-f", "-c", "1000000", "10.77.0.2")
	if err := ping.Start(); err != nil {
		t.Fatal(err)
	}
	defer ping.Wait()
	defer ping.Process.Kill()
	go (&scripted{c: c, batch: 1}).run()

	before, now := c.status(), c.status()
	for now.Recording.Packets < 500 {
		before, now = now, c.status()
	}
	if crossed := int(before.Counters.Received + before.Counters.Written); now.Recording.Packets+100 < crossed {
		t.Errorf("%d packets in the file, a moment before %d had crossed the link", now.Recording.Packets, crossed)
	}
	if err := c.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.closed

	all := tshark(t, file, true)
	if len(all) < now.Recording.Packets {
		t.Errorf("%d frames, the status said %d", len(all), now.Recording.Packets)
	}
	for i, f := range all {
		f.checkPing(t, i+1)
	}
}

// If the disk fills up, recording stops and the session continues.
func TestRecordFillsTheDisk(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t) // whoever may create namespaces may mount in them
	for _, name := range []string{"unshare", "mount", "tshark"} {
		tuntest.RequireProgram(t, name)
	}
	dir := t.TempDir()
	script := `mount -t tmpfs -o size=16k tmpfs "$1" && cd "$1" && exec "$2" --network memory --record full.pcapng`
	c := startProgram(t, modernEra, exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", dir, program))
	s := c.connect()
	request, err := packet.ParseHex(fmt.Sprintf(header4, "01") + "0800 1111 00070001" + strings.Repeat("00", 1000))
	if err == nil {
		request, err = packet.Fix(request)
	}
	if err != nil {
		t.Fatal(err)
	}
	const count = 20 // each has more than 1,000 bytes
	for i := range count {
		if number := c.inject(s, request); number != i+1 {
			t.Fatalf("packet #%d, want #%d", number, i+1)
		}
	}
	status := c.status()
	for status.Recording.Stopped == "" {
		status = c.status()
	}
	recorded := status.Recording.Packets
	if want := fmt.Sprintf("has stopped: write full.pcapng: no space left on device; no packet after #%d is in it", recorded); !strings.Contains(strings.ReplaceAll(status.Recording.Stopped, dir+"/", ""), want) {
		t.Errorf("status: %+v, want %q", status.Recording, want)
	}
	if text, failed := c.tool("read_packet", `{"max_packets": 64}`); failed || strings.Count(text, "ICMP echo request") != count {
		t.Errorf("the session should continue: %s", text)
	}
	if said := c.errors(); strings.Count(said, "recording to ") != 1 {
		t.Errorf("want one message: %s", said)
	}
	all := tshark(t, fmt.Sprintf("/proc/%d/root%s/full.pcapng", c.process.Process.Pid, dir), false)
	if len(all) != recorded || recorded < 5 || recorded > 15 {
		t.Errorf("%d frames, the status says %d", len(all), recorded)
	}
}

// A server that cannot make the requested recording does not start, and says why.
func TestRecordRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "old.pcapng")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--network", "memory", "--record", file)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t))
	out, err := cmd.CombinedOutput()
	want := "tun-mcp: recording to " + file + ": it already exists"
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), want) {
		t.Errorf("%v, %s", err, out)
	}
}
