package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A recording is replayed in another session, in every format that Wireshark's editcap
// writes, and the agent there answers the same pings.
func TestReplayOfRecording(t *testing.T) {
	t.Parallel()
	tuntest.RequireProgram(t, "editcap")
	folder := t.TempDir()
	recording := filepath.Join(folder, "pings.pcapng")
	first := startBuiltin(t, "--quiet", "--network", "memory", "--record", recording, "--ping", "3", "--addr", "192.0.2.1/24")
	if text := first.wait(0); !strings.Contains(text, "3 received") {
		t.Fatal(text)
	}

	b := startBuiltin(t, "--network", "memory")
	replay := func(status int, want string, args ...string) {
		t.Helper()
		cmd := b.command(append([]string{"replay", "--speed", "0"}, args...)...)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != status || !strings.Contains(string(out), want) {
			t.Errorf("replay %q: status %d, want %d\n%s\nwant %q in it", args, cmd.ProcessState.ExitCode(), status, out, want)
		}
	}
	replay(0, "3 packets of "+recording+" sent in ", recording)
	b.await("ICMP echo repl") // the agent has answered the pings, which seem to come from 10.77.0.1
	for _, form := range []string{"pcap", "nsecpcap"} {
		other := filepath.Join(folder, form)
		if out, err := exec.Command("editcap", "-F", form, recording, other).CombinedOutput(); err != nil {
			t.Fatalf("editcap: %v\n%s", err, out)
		}
		replay(0, "2 packets of "+other+" sent in ", "-n", "2", other)
		replay(0, "; 6 frames read; 3 left out as answers", other)
	}
	data, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(folder, "cut.pcapng")
	if err := os.WriteFile(cut, data[:len(data)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	replay(1, "the capture is cut off after frame 5", cut)
	replay(1, "README.md: not a capture file; accepted: pcap and pcapng", "README.md")
	replay(1, "no such file", "none.pcap")
	replay(2, "--speed -1: accepted is a factor", "--speed", "-1", recording)
	replay(2, "replay takes one capture file, got 2", recording, recording)
	b.interrupt()
}
