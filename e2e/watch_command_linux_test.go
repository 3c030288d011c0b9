package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// startWatch starts `tun-mcp watch` and returns once it follows the session.
func startWatch(t *testing.T, b *builtin, args ...string) *pinging {
	t.Helper()
	w := &pinging{t: t, cmd: b.command(append([]string{"watch"}, args...)...), done: make(chan int, 1)}
	w.start(&client{runtime: b.runtime})
	return w
}

// A ping is shown as it crosses, in every format, and later from the record.
func TestWatchCommand(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "--network", "memory", "--session", "seen")
	if out, err := b.command("ping", "-c", "1").CombinedOutput(); err != nil {
		t.Fatalf("ping: %v\n%s", err, out)
	}
	const (
		head    = `^watching session seen \(memory\): → from the peer 10\.77\.0\.1, ← from the agent 10\.77\.0\.2\n$`
		stamp   = `\d\d:\d\d:\d\d\.\d{3}`
		request = stamp + ` #1 → IPv4 10\.77\.0\.1 > 10\.77\.0\.2 ICMP echo request id \d+ seq 1, checksums ok, 84 bytes\n`
		reply   = stamp + ` #2 ← IPv4 10\.77\.0\.2 > 10\.77\.0\.1 ICMP echo reply id \d+ seq 1, checksums ok, 84 bytes, [\d.]+ ms after #1\n`
		bytes   = ` +0: 4500 0054 .*\n( +\d+: .*\n){5}`
	)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--since", "1", "-n", "2"}, "^" + request + reply + "$"},
		{[]string{"--since", "2", "-n", "1"}, "^" + reply + "$"},
		{[]string{"--since", "1", "-n", "1", "--hex"}, "^" + request + bytes + "$"},
		{[]string{"--since", "1", "-n", "1", "--fields"}, "^" + request + bytes + `(?s).*identifier .*ICMP checksum 0x[0-9a-f]{4}: ok\n$`},
	} {
		startWatch(t, b, test.args...).want(0, test.want, head)
	}

	// Live, from the next packet until the session ends.
	live := b.command("watch", "--json")
	var stderr strings.Builder
	live.Stderr = &stderr
	stdout, err := live.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := live.Start(); err != nil {
		t.Fatal(err)
	}
	pinging := b.command("ping", "-i", "0.05")
	if err := pinging.Start(); err != nil {
		t.Fatal(err)
	}
	packets := 0
	var last session.Event
	for lines := json.NewDecoder(stdout); ; {
		var e session.Event
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		last = e
		if last.Event == session.EventPacket {
			if packets++; packets == 4 {
				b.interrupt()
			}
		}
	}
	if err := live.Wait(); err != nil || last.Event != session.EventEnd || packets < 4 {
		t.Errorf("%d packets, last %+v, %v", packets, last, err)
	}
	if text := stderr.String(); !regexp.MustCompile(`\nsession seen has ended: [^\n]+\n$`).MatchString(text) {
		t.Errorf("stderr %q", text)
	}
	_ = pinging.Wait() // it fails, because the session has ended
}

// Wireshark's view of a live session: packets, directions and comments.
func TestWatchForWireshark(t *testing.T) {
	t.Parallel()
	tuntest.RequireProgram(t, "tshark")
	b := startBuiltin(t, "--network", "memory")
	watch := b.command("watch", "--since", "1", "--pcapng", "-", "-n", "4")
	capture, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second once the first is answered, however busy the machine is
		if out, err := b.command("ping", "-c", "1").CombinedOutput(); err != nil {
			t.Fatalf("ping: %v\n%s", err, out)
		}
	}
	file := filepath.Join(t.TempDir(), "live.pcapng")
	reader := exec.Command("tshark", "-n", "-r", "-", "-w", file)
	reader.Stdin = capture
	if out, err := reader.CombinedOutput(); err != nil {
		t.Fatalf("tshark: %v\n%s", err, out)
	}
	if err := watch.Wait(); err != nil {
		t.Error(err)
	}
	frames := tshark(t, file, false)
	if len(frames) != 4 {
		t.Fatalf("%d frames, want 4", len(frames))
	}
	for i, frame := range frames {
		frame.checkPing(t, i+1)
	}

	file = filepath.Join(t.TempDir(), "beside.pcapng")
	startWatch(t, b, "--since", "1", "--pcapng", file, "-n", "2").want(0, "#2 ←", "^watching")
	if frames := tshark(t, file, false); len(frames) != 2 {
		t.Errorf("%d frames, want 2", len(frames))
	}
	startWatch(t, b, "--since", "1", "--pcapng", file, "-n", "2").want(1, "^$", "a capture never overwrites a file; name another")
}

func TestWatchFailsWithWords(t *testing.T) {
	t.Parallel()
	alone := &builtin{t: t, runtime: tuntest.RuntimeDir(t)}
	startWatch(t, alone).want(1, "^$", "no tun-mcp session is running")
	startWatch(t, alone, "--session", "gone").want(1, "^$", `no session is named "gone"`)
	for args, want := range map[string]string{
		"-n 0":                     "-n 0: accepted is a number of packets, 1 or more",
		"--since 0":                "--since 0: accepted is a packet number, 1 or more",
		"--json --hex":             "--json already has the bytes of every packet",
		"--pcapng - --json":        "a capture to stdout, where text would damage it",
		"--pcapng /nowhere/x.pcap": "no tun-mcp session is running",
	} {
		status := 2
		if strings.Contains(args, "nowhere") {
			status = 1
		}
		startWatch(t, alone, strings.Fields(args)...).want(status, "^$", regexp.QuoteMeta(want))
	}
}

// A watch that does not read blocks nothing. It ends when its own reader leaves.
func TestWatchThatStandsStill(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory")
	w := b.command("watch")
	out, err := w.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	go b.command("ping", "-c", "1").Run()
	if _, err := out.Read(first); err != nil { // it follows the session
		t.Fatal(err)
	}
	if err := w.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// Each ping is at least two events, and 4,096 can wait for a watcher. Four commands
	// at a time, since one of them waits for each answer.
	count := tuntest.Long("1000", "5000")
	var pings sync.WaitGroup
	for range 4 {
		pings.Go(func() {
			if out, err := b.command("ping", "-q", "-f", "-c", count).CombinedOutput(); err != nil || !strings.Contains(string(out), " "+count+" received") {
				t.Errorf("ping while a watch does not read: %v\n%s", err, out)
			}
		})
	}
	pings.Wait()
	if err := w.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	go b.command("ping", "-c", "1").Run() // the next event brings the count of missed events
	buffer := make([]byte, 1<<16)
	for !strings.Contains(text.String(), "events were missed") {
		n, err := out.Read(buffer)
		if err != nil {
			t.Fatalf("%v, and nothing about missed events", err)
		}
		text.Write(buffer[:n])
	}
	out.Close()
	go b.command("ping", "-c", "3", "-i", "0.1").Run()
	if err := w.Wait(); err == nil || w.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGPIPE {
		t.Errorf("the watch ended with %v, want SIGPIPE as any filter's", err)
	}
}
