package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

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

// A named pipe shows the packets live. When its reader ends, only the recording
// stops.
func TestRecordingToPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRecorder(path, "name", "test", nil); err == nil || !strings.Contains(err.Error(), "it has no reader; start one first, for instance: wireshark -k -i "+path) {
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
		t.Errorf("the session should continue: %v", err)
	}
}

// The pipe may be replaced with a link while it is opened. The target of the link is
// never written to.
func TestRecordingWhileThePathChanges(t *testing.T) {
	dir := t.TempDir()
	pipe, path, precious, next := filepath.Join(dir, "pipe"), filepath.Join(dir, "path"), filepath.Join(dir, "precious"), filepath.Join(dir, "next")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(precious, []byte("precious"), 0o600), os.Link(pipe, path)); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	go io.Copy(io.Discard, untilClosed{reader})
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for {
			err := errors.Join(os.Symlink(precious, next), os.Rename(next, path), os.Link(pipe, next), os.Rename(next, path))
			select {
			case <-stop:
				stopped <- err
				return
			default:
			}
		}
	}()
	opened, refused := 0, 0
	for deadline := time.Now().Add(20 * time.Second); (opened < 100 || refused < 100) && time.Now().Before(deadline); {
		recorder, err := OpenRecorder(path, "name", "test", nil)
		if err != nil {
			refused++
			continue
		}
		recorder.close()
		opened++
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if opened < 100 || refused < 100 {
		t.Errorf("%d were opened and %d refused, so nothing was replaced", opened, refused)
	}
	if data, err := os.ReadFile(precious); err != nil || string(data) != "precious" {
		t.Errorf("the target of the link contains %q, %v", data, err)
	}
}

// untilClosed keeps reading a pipe that has no writers at the moment.
type untilClosed struct{ file *os.File }

func (r untilClosed) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	if err == io.EOF {
		runtime.Gosched()
		return 0, nil
	}
	return n, err
}

// Links are not followed, except those of a shell's >(…).
func TestRecordingThroughALink(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink(pipe, link)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRecorder(link, "name", "test", nil); err == nil || !strings.Contains(err.Error(), "is a symbolic link, which is not followed") {
		t.Errorf("a link to a pipe: %v", err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	recorder, err := OpenRecorder(fmt.Sprintf("/dev/fd/%d", writer.Fd()), "name", "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	recorder.close()
}
