package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// Frame numbers equal packet numbers, with concurrent senders and failed writes.
func TestRecordingKeepsNumbers(t *testing.T) {
	const each = 5000
	recorder, path := startRecording(t, func(err error) { t.Error(err) })
	d := tuntest.NewDevice()
	s := New(d, Config{Record: recorder})
	var sent sync.WaitGroup
	sent.Go(func() {
		for i := range each {
			d.FromPeer(echo(t, 8, 1, uint16(i)))
		}
	})
	for range 2 {
		sent.Go(func() {
			for i := range each / 2 {
				if _, err := s.Write(t.Context(), echo(t, 0, 1, uint16(i)), 0); err != nil {
					t.Error(err)
				}
				<-d.ToPeer
			}
		})
	}
	sent.Wait()
	want := map[int]*Packet{}
	for len(want) < RecordPackets { // packets that the session's record still has
		number := 2*each - len(want)
		p, err := s.Packet(number)
		for err != nil { // the device's packets are still being read
			p, err = s.Packet(number)
		}
		want[number] = p
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	got := recordedFrames(t, path)
	if len(got) != 2*each {
		t.Fatalf("%d frames, want %d", len(got), 2*each)
	}
	var peer int
	for i, f := range got {
		if p := want[i+1]; p != nil && (!bytes.Equal(f.data, p.Data) || f.fromPeer != (p.Direction == Read)) {
			t.Fatalf("frame %d is % x, packet #%d is % x", i+1, f.data, p.Number, p.Data)
		}
		if f.fromPeer {
			if seq := int(binary.BigEndian.Uint16(f.data[26:])); seq != peer {
				t.Fatalf("frame %d has seq %d from the peer, want %d", i+1, seq, peer)
			}
			peer++
		} else if f.comment != "" && !strings.HasPrefix(f.comment, fmt.Sprintf("#%d reply to #", i+1)) {
			t.Fatalf("frame %d: comment %q", i+1, f.comment)
		}
	}
	if peer != each {
		t.Errorf("%d packets from the peer, want %d", peer, each)
	}
	if status := s.Fill(Status{}).Recording; status == nil || *status != (Recording{Path: path, Packets: 2 * each}) {
		t.Errorf("status %+v", status)
	}
}

// refuser is a device that refuses the packets that the test chooses.
type refuser struct {
	*tuntest.Device
	why error
}

func (r *refuser) Write(p []byte) (int, error) {
	if r.why != nil {
		return 0, r.why
	}
	return r.Device.Write(p)
}

func TestRecordingComments(t *testing.T) {
	recorder, path := startRecording(t, nil)
	d := &refuser{Device: tuntest.NewDevice()}
	s := New(d, Config{Record: recorder})
	inject := func(data []byte) {
		t.Helper()
		if _, err := s.Inject(data); err != nil {
			t.Fatal(err)
		}
	}
	inject(echo(t, 8, 1, 1))
	if _, err := s.Read(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Write(t.Context(), echo(t, 0, 1, 1), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(t.Context(), syn(t, 7), 0); err != nil {
		t.Fatal(err)
	}
	d.why = errors.New("link is down")
	if _, err := s.Write(t.Context(), echo(t, 0, 1, 1), 1); err == nil {
		t.Fatal("the device should not have taken the packet")
	}
	s.Close()
	got := recordedFrames(t, path)
	want := []string{
		"#1 injected, not sent by the peer's stack",
		fmt.Sprintf("#2 reply to #1, %.6f s", answer.Response.Truncate(time.Microsecond).Seconds()),
		"",
		"#4 reply to #1, * s, lost, the link did not take it: link is down",
	}
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i, f := range got {
		if ok, _ := filepath.Match(want[i], f.comment); !ok || f.fromPeer != (i == 0) {
			t.Errorf("frame %d: comment %q, from the peer %v; want %q", i+1, f.comment, f.fromPeer, want[i])
		}
	}
}

// Every packet is written at once, not at the end of the session.
func TestRecordingIsFlushed(t *testing.T) {
	recorder, path := startRecording(t, nil)
	synctest.Test(t, func(t *testing.T) {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		inside, err := newRecorder(file, path, nil, recordWaiting, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := tuntest.NewDevice()
		s := New(d, Config{Record: inside})
		defer s.Close()
		for i := range 3 {
			d.FromPeer(echo(t, 8, 1, uint16(i)))
			synctest.Wait() // no time passes
			if got := recordedFrames(t, path); len(got) != i+1 {
				t.Errorf("%d frames after %d packets", len(got), i+1)
			}
		}
	})
	recorder.close()
}
