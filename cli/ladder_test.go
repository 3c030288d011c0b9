package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An empty ladder is refused, and the reason says whether --since left the packets out.
func TestLadderWithoutPackets(t *testing.T) {
	pcap := "\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + strings.Repeat("\x00", 8) + "\xff\xff\x00\x00\x65\x00\x00\x00"
	path := filepath.Join(t.TempDir(), "empty.pcap")
	if err := os.WriteFile(path, []byte(pcap), 0o600); err != nil {
		t.Fatal(err)
	}
	for since, want := range map[string]string{
		"1": "it has no IP packet to draw",
		"7": "it has no IP packet from frame 7 on; leave out --since",
	} {
		cmd := newCommand(os.Stdout)
		cmd.SetArgs([]string{"ladder", "--since", since, path})
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--since %s: %v, want %q", since, err, want)
		}
	}
}
