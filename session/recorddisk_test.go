package session

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// filling is a file whose disk is full after room bytes. Then it writes to /dev/full.
type filling struct {
	*os.File
	full *os.File
	room int
}

func (f *filling) Write(p []byte) (int, error) {
	part := p[:min(len(p), f.room)]
	f.room -= len(part)
	n, err := f.File.Write(part)
	if err == nil && n < len(p) {
		_, err = f.full.Write(p[n:])
	}
	return n, err
}

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		tuntest.Unmet(t, err)
	}
	defer full.Close()
	path := filepath.Join(t.TempDir(), "test.pcapng")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	header := packet.CaptureHeader("test")
	block := len(packet.Captured{FromPeer: true, Data: echo(t, 8, 1, 1)}.AppendTo(nil))
	reports := make(chan error, 10)
	recorder, err := newRecorder(&filling{file, full, len(header) + 3*block + 10}, path, header, recordWaiting, func(err error) { reports <- err })
	if err != nil {
		t.Fatal(err)
	}
	d := tuntest.NewDevice()
	s := New(d, Config{Record: recorder})
	for i := range 10 {
		d.FromPeer(echo(t, 8, 1, uint16(i)))
	}
	report := <-reports
	if !errors.Is(report, syscall.ENOSPC) || !strings.Contains(report.Error(), "recording to "+path+" has stopped: ") || !strings.Contains(report.Error(), "no packet after #3 is in it") {
		t.Errorf("report: %v", report)
	}
	if status := s.Fill(Status{}).Recording; *status != (Recording{Path: path, Packets: 3, Stopped: report.Error(), Why: "no space left on device"}) {
		t.Errorf("status %+v", status)
	}
	if _, err := s.Write(t.Context(), echo(t, 0, 1, 1), 0); err != nil {
		t.Errorf("the session should continue: %v", err)
	}
	s.Close()
	if got := recordedFrames(t, path); len(got) != 3 { // no incomplete packet at the end
		t.Errorf("%d frames, want 3", len(got))
	}
	if len(reports) > 0 {
		t.Errorf("a second report: %v", <-reports)
	}
}

// stuck is a file that blocks writes until the test releases it.
type stuck struct {
	bytes.Buffer
	header  bool
	release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	if s.header { // the header does not block
		<-s.release
	}
	s.header = true
	return s.Buffer.Write(p)
}

func (s *stuck) Truncate(int64) error { return nil }
func (s *stuck) Close() error         { return nil }

// A slow disk never delays the link. The packets accepted so far are written when the
// disk continues.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []error
		file := &stuck{release: make(chan struct{})}
		recorder, err := newRecorder(file, "slow", packet.CaptureHeader("test"), 5*(28+recordOverhead), func(err error) { reports = append(reports, err) })
		if err != nil {
			t.Fatal(err)
		}
		d := tuntest.NewDevice()
		s := New(d, Config{Record: recorder})
		for i := range 10 {
			d.FromPeer(echo(t, 8, 1, uint16(i)))
		}
		synctest.Wait()
		b, err := s.Read(t.Context(), ReadOptions{Max: 64})
		if err != nil || numbers(b) != "1 2 3 4 5 6 7 8 9 10" {
			t.Errorf("read %q, %v", numbers(b), err)
		}
		if len(reports) != 1 || !strings.Contains(reports[0].Error(), "which does not take packets as fast as they come") || !strings.Contains(reports[0].Error(), "no packet after #5 is in it") {
			t.Errorf("reports %v", reports)
		}
		close(file.release)
		synctest.Wait()
		if status := s.Fill(Status{}).Recording; status.Packets != 5 || status.Stopped == "" {
			t.Errorf("status %+v", status)
		}
		s.Close()
		if got := readFrames(t, file.Bytes()); len(got) != 5 {
			t.Errorf("%d frames, want 5", len(got))
		}
	})
}

// A disk that never answers does not prevent the session from closing.
func TestCloseGivesUpOnTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []error
		file := &stuck{release: make(chan struct{})}
		recorder, err := newRecorder(file, "stuck", packet.CaptureHeader("test"), recordWaiting, func(err error) { reports = append(reports, err) })
		if err != nil {
			t.Fatal(err)
		}
		d := tuntest.NewDevice()
		s := New(d, Config{Record: recorder})
		d.FromPeer(echo(t, 8, 1, 1))
		synctest.Wait()
		s.Close()
		if len(reports) != 1 || !strings.Contains(reports[0].Error(), "no packet after #0 is in it") {
			t.Errorf("reports %v", reports)
		}
		close(file.release) // ends the goroutine
	})
}

// A device write that blocks does not prevent the recording from closing.
func TestRecordingClosesBeforeTheWriteIsOver(t *testing.T) {
	file := &stuck{release: make(chan struct{})}
	close(file.release)
	recorder, err := newRecorder(file, "file", packet.CaptureHeader("test"), recordWaiting, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	p := &Packet{Number: 1, Direction: Write, Data: echo(t, 0, 1, 1)}
	recorder.add(p)
	recorder.close()
	recorder.close()
	recorder.settle(p, nil)
	recorder.add(&Packet{Number: 2, Direction: Read, Data: echo(t, 8, 1, 1)})
	if got := readFrames(t, file.Bytes()); len(got) != 1 {
		t.Errorf("%d frames, want 1", len(got))
	}
}
