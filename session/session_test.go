package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// echo makes an echo request (8) or reply (0) between 10.77.0.1 and .2.
func echo(t testing.TB, kind byte, id, seq uint16) []byte {
	t.Helper()
	b := []byte{0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2, kind, 0, 0, 0, 0, 0, 0, 0}
	if kind == 0 {
		b[15], b[19] = 2, 1
	}
	binary.BigEndian.PutUint16(b[24:], id)
	binary.BigEndian.PutUint16(b[26:], seq)
	return fixed(t, b)
}

// syn makes a TCP segment with the SYN flag from a port of 10.77.0.1.
func syn(t testing.TB, port uint16) []byte {
	t.Helper()
	b := make([]byte, 40)
	copy(b, []byte{0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2})
	binary.BigEndian.PutUint16(b[20:], port)
	b[23], b[32], b[33] = 80, 0x50, 0x02
	return fixed(t, b)
}

func fixed(t testing.TB, b []byte) []byte {
	t.Helper()
	b, err := packet.Fix(b)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// inBubble runs a test on a session with a fake device and fake time.
func inBubble(t *testing.T, config Config, test func(t *testing.T, s *Session, d *tuntest.Device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := tuntest.NewDevice()
		s := New(d, config)
		defer s.Close()
		test(t, s, d)
	})
}

// second is the timeout of most reads here.
var second = ReadOptions{Timeout: time.Second, Max: 64}

func numbers(b Batch) string {
	var all []string
	for _, p := range b.Packets {
		all = append(all, fmt.Sprint(p.Number))
	}
	return strings.Join(all, " ")
}

// sum checks the invariant of the counters.
func sum(t *testing.T, s *Session) {
	t.Helper()
	if c := s.Counters(); c.Received != c.Delivered+c.Queued+c.Dropped {
		t.Errorf("received %d is not delivered %d + queued %d + dropped %d", c.Received, c.Delivered, c.Queued, c.Dropped)
	}
}

func TestReadWaitsForThePacket(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
		time.AfterFunc(400*time.Millisecond, func() { d.FromPeer(echo(t, 8, 1, 1)) })
		start := time.Now()
		b, err := s.Read(t.Context(), second)
		if err != nil || numbers(b) != "1" || time.Since(start) != 400*time.Millisecond {
			t.Errorf("read %q, %v after %v; want packet 1 after 400ms", numbers(b), err, time.Since(start))
		}
		sum(t, s)
	})
}

func TestReadDeadline(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, _ *tuntest.Device) {
		for _, timeout := range []time.Duration{0, time.Second} {
			start := time.Now()
			b, err := s.Read(t.Context(), ReadOptions{Timeout: timeout, Max: 1, Settle: time.Minute})
			if err != nil || len(b.Packets) != 0 || time.Since(start) != timeout {
				t.Errorf("timeout %v: read %q, %v after %v", timeout, numbers(b), err, time.Since(start))
			}
		}
	})
}

func TestCancelledReadTakesNothing(t *testing.T) {
	for _, settling := range []bool{false, true} {
		t.Run(fmt.Sprintf("settling=%v", settling), func(t *testing.T) {
			inBubble(t, Config{}, func(t *testing.T, s *Session, d *tuntest.Device) {
				if settling {
					d.FromPeer(echo(t, 8, 1, 1))
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				defer cancel()
				b, err := s.Read(ctx, ReadOptions{Timeout: time.Second, Settle: time.Second, Max: 8})
				if !errors.Is(err, context.DeadlineExceeded) || len(b.Packets) > 0 {
					t.Errorf("cancelled read gave %q, %v", numbers(b), err)
				}
				if !settling {
					d.FromPeer(echo(t, 8, 1, 1))
				}
				if b, err = s.Read(t.Context(), second); err != nil || numbers(b) != "1" {
					t.Errorf("the next read got %q, %v; want 1", numbers(b), err)
				}
				sum(t, s)
			})
		})
	}
}

func TestCloseEndsBlockedReads(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, s *Session, _ *tuntest.Device) {
		failed := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := s.Read(t.Context(), ReadOptions{Timeout: time.Hour, Max: 1})
				failed <- err
			}()
		}
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for range 2 {
			if err := <-failed; !errors.Is(err, os.ErrClosed) {
				t.Errorf("the blocked read gave %v, want os.ErrClosed", err)
			}
		}
		if _, err := s.Read(t.Context(), second); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a read after close gave %v, want os.ErrClosed", err)
		}
		if _, err := s.Write(t.Context(), echo(t, 0, 1, 1), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a write after close gave %v, want os.ErrClosed", err)
		}
		if _, err := s.Inject(echo(t, 8, 1, 1)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("an injection after close gave %v, want os.ErrClosed", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
	})
}

func TestDeviceThatFailsEndsTheSession(t *testing.T) {
	told := make(chan error, 1)
	inBubble(t, Config{Report: func(err error) { told <- err }}, func(t *testing.T, s *Session, d *tuntest.Device) {
		d.FromPeer(echo(t, 8, 1, 1))
		synctest.Wait()
		d.Fail(errors.New("the device tun0 was deleted"))
		<-s.Done()
		if b, err := s.Read(t.Context(), second); err != nil || numbers(b) != "1" {
			t.Errorf("queued packets should still be read, got %q, %v", numbers(b), err)
		}
		_, err := s.Read(t.Context(), second)
		if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "tun0 was deleted") {
			t.Errorf("then the read should return the reason, got %v", err)
		}
		if err := <-told; !strings.Contains(err.Error(), "tun0 was deleted") {
			t.Errorf("reported %v", err)
		}
	})
}

func TestEachPacketGoesToOneReader(t *testing.T) {
	const packets, readers = 2000, 7
	d := tuntest.NewDevice()
	s := New(d, Config{Queue: MaxQueue})
	defer s.Close()
	var wg sync.WaitGroup
	got := make(chan int, packets+1)
	ctx, stop := context.WithCancel(t.Context())
	for i := range readers {
		wg.Go(func() {
			for {
				// Every other reader keeps giving up. No packet may be lost because of that.
				timeout := time.Duration(i%2) * time.Hour
				b, err := s.Read(ctx, ReadOptions{Timeout: timeout, Max: i + 1, Settle: time.Duration(i%3) * time.Millisecond})
				if err != nil {
					return
				}
				for _, p := range b.Packets {
					got <- p.Number
				}
			}
		})
	}
	for i := range packets {
		d.FromPeer(echo(t, 8, 1, uint16(i)))
	}
	seen := map[int]bool{}
	for range packets {
		select {
		case n := <-got:
			if seen[n] {
				t.Fatalf("packet %d was delivered twice", n)
			}
			seen[n] = true
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d packets were delivered", len(seen), packets)
		}
	}
	stop()
	wg.Wait()
	if c := s.Counters(); c.Delivered != packets || c.Dropped != 0 || c.Queued != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestFullQueueDropsTheOldest(t *testing.T) {
	inBubble(t, Config{Queue: 3}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for i := range 5 {
			d.FromPeer(echo(t, 8, 1, uint16(i)))
		}
		synctest.Wait()
		b, err := s.Read(t.Context(), second)
		if err != nil || numbers(b) != "3 4 5" || b.Dropped != 2 || b.Received != 5 {
			t.Errorf("read %q, %v, %+v; want 3 4 5, 2 dropped", numbers(b), err, b.Counters)
		}
		sum(t, s)
	})
}
