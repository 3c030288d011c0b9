package session

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestRecordingIsPrivate(t *testing.T) {
	recorder, path := startRecording(t, nil)
	defer recorder.close()
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

// A named pipe shows the packets live. When its reader goes, recording stops,
// and nothing else.
func TestRecordingToPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRecorder(path, "name", "test", nil); err == nil || !strings.Contains(err.Error(), "nobody reads it; start its reader first, for instance: wireshark -k -i "+path) {
		t.Errorf("without a reader: %v", err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	reports := make(chan error, 10)
	recorder, err := OpenRecorder(path, "name", "test", func(err error) { reports <- err })
	if err != nil {
		t.Fatal(err)
	}
	d := tuntest.NewDevice()
	s := New(d, Config{Record: recorder})
	defer s.Close()
	d.FromPeer(echo(t, 8, 1, 1))
	want := packet.Captured{FromPeer: true, Data: echo(t, 8, 1, 1)}.AppendTo(packet.CaptureHeader("test"))
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := reader.Read(got[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += m
	}
	if all := readFrames(t, got); len(all) != 1 || !bytes.Equal(all[0].data, echo(t, 8, 1, 1)) {
		t.Errorf("got %+v", all)
	}
	reader.Close()
	d.FromPeer(echo(t, 8, 1, 2))
	if report := <-reports; !errors.Is(report, syscall.EPIPE) || !strings.Contains(report.Error(), "no packet after #1 is in it") {
		t.Errorf("report: %v", report)
	}
	if err := s.Err(); err != nil {
		t.Errorf("the session should go on: %v", err)
	}
}
