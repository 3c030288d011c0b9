package netstack

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

// limit is how long a test waits for something that must come. It is long, since the
// machine may be busy; no test waits for the limit itself.
const limit = 20 * time.Second

var (
	peer4  = netip.MustParsePrefix("10.77.0.1/24")
	peer6  = netip.MustParsePrefix("2001:db8:77::1/64")
	agent4 = netip.MustParsePrefix("10.77.0.2/24")
	agent6 = netip.MustParsePrefix("2001:db8:77::2/64")
)

func newPeer(t testing.TB) *Stack  { return newStack(t, Config{Addr: peer4, Addr6: peer6}) }
func newAgent(t testing.TB) *Stack { return newStack(t, Config{Addr: agent4, Addr6: agent6}) }

func newStack(t testing.TB, cfg Config) *Stack {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A filter may change a packet in transit, or return nil to drop it.
type filter func(p []byte) []byte

// wire connects two stacks until the test ends.
func wire(t testing.TB, a, b *Stack, aToB, bToA filter) {
	t.Helper()
	var pumps sync.WaitGroup
	pumps.Go(func() { pump(t, a, b, aToB) })
	pumps.Go(func() { pump(t, b, a, bToA) })
	t.Cleanup(func() {
		a.Close()
		b.Close()
		pumps.Wait()
	})
}

func pump(t testing.TB, from, to *Stack, change filter) {
	buf := make([]byte, 65535)
	for {
		n, err := from.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			t.Errorf("pump: %v", err)
			return
		}
		p := buf[:n]
		if change != nil {
			if p = change(p); p == nil {
				continue
			}
		}
		if _, err := to.Write(p); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Errorf("pump: %v", err)
			return
		}
	}
}

// newPair returns a peer and an agent connected by a wire.
func newPair(t testing.TB) (peer, agent *Stack) {
	peer, agent = newPeer(t), newAgent(t)
	wire(t, peer, agent, nil, nil)
	return peer, agent
}

func withLimit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// read reads one packet, which must be queued already.
func read(t testing.TB, s *Stack) []byte {
	t.Helper()
	if s.link.NumQueued() == 0 {
		t.Fatal("the stack sent nothing")
	}
	buf := make([]byte, 65535)
	n, err := s.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func write(t testing.TB, s *Stack, p []byte) {
	t.Helper()
	if n, err := s.Write(p); n != len(p) || err != nil {
		t.Fatalf("Write of %d bytes: %d, %v", len(p), n, err)
	}
}
