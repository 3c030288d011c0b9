package netstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
)

// payload returns n bytes that do not repeat at any power of two.
func payload(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}

func TestPing(t *testing.T) {
	peer, agent := newPair(t)
	ctx := withLimit(t)
	for _, way := range []struct {
		name, network string
		from          *Stack
		to            netip.Addr
	}{
		{"peer to agent", "ip4", peer, agent4.Addr()},
		{"agent to peer", "ip4", agent, peer4.Addr()},
		{"peer to agent", "ip6", peer, agent6.Addr()},
		{"agent to peer", "ip6", agent, peer6.Addr()},
	} {
		t.Run(fmt.Sprintf("%s %s", way.name, way.network), func(t *testing.T) {
			conn, err := way.from.ListenEcho(way.network, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			most := MaxEcho
			if way.network == "ip6" {
				most = MaxEcho6
			}
			for seq, size := range []int{0, 1, 56, 1452, 1472, 1473, 3000, most} {
				want := payload(size)
				if err := conn.WriteTo(want, way.to, uint16(seq)); err != nil {
					t.Fatal(err)
				}
				m, err := conn.ReadFrom(ctx)
				if err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				if !m.IsReply() || m.Code != 0 || m.From != way.to || m.ID != conn.ID() || m.Seq != uint16(seq) || m.TTL != 64 || m.Received.IsZero() {
					t.Errorf("%d bytes: %+v", size, m)
				}
				if !bytes.Equal(m.Data, want) {
					t.Errorf("%d bytes came back as %d, or were changed", size, len(m.Data))
				}
			}
			if err := conn.WriteTo(make([]byte, most+1), way.to, 0); err == nil {
				t.Errorf("%d bytes were sent", most+1)
			}
		})
	}
	if n := peer.Dropped() + agent.Dropped(); n != 0 {
		t.Errorf("%d packets dropped", n)
	}
}

// Every ping of a flood is answered, despite gVisor's ICMP limit of 1,000 a second.
func TestFloodPing(t *testing.T) {
	agent := newAgent(t)
	for i := range 10_000 {
		write(t, agent, echo(peer4.Addr(), agent4.Addr(), 7, uint16(i), payload(56)))
		p := read(t, agent)
		if len(p) != 84 || p[20] != 0 || uint16(p[26])<<8|uint16(p[27]) != uint16(i) || !faultless(p) {
			t.Fatalf("request %d got the answer % x", i, p)
		}
	}
}

// ICMP errors have no limit either.
func TestFloodRefused(t *testing.T) {
	agent := newAgent(t)
	for i := range 3000 {
		write(t, agent, datagram(peer4.Addr(), agent4.Addr(), 4000, uint16(1+i), nil))
		if p := read(t, agent); p[20] != 3 || p[21] != 3 || !faultless(p) {
			t.Fatalf("datagram %d got the answer % x", i, p)
		}
	}
}

func TestEchoIDs(t *testing.T) {
	peer, _ := newPair(t)
	ctx := withLimit(t)
	one, err := peer.ListenEcho("ip4", 4711)
	if err != nil || one.ID() != 4711 {
		t.Fatalf("ID %d, %v", one.ID(), err)
	}
	if _, err := peer.ListenEcho("ip4", 4711); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the same id again: %v", err)
	}
	two, err := peer.ListenEcho("ip4", 0)
	if err != nil || two.ID() == 0 || two.ID() == 4711 {
		t.Fatalf("ID %d, %v", two.ID(), err)
	}
	for _, c := range []*EchoConn{two, one} {
		if err := c.WriteTo([]byte("x"), agent4.Addr(), c.ID()/2); err != nil {
			t.Fatal(err)
		}
		if m, err := c.ReadFrom(ctx); err != nil || m.Seq != c.ID()/2 {
			t.Errorf("%+v, %v", m, err)
		}
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if m, err := one.ReadFrom(now); !errors.Is(err, context.Canceled) {
		t.Errorf("another socket's message: %+v, %v", m, err)
	}
	one.Close()
	one.Close()
	if _, err = peer.ListenEcho("ip4", 4711); err != nil {
		t.Errorf("the id is not free after Close: %v", err)
	}
}

func TestEchoRefusesArguments(t *testing.T) {
	only4 := newStack(t, Config{Addr: peer4})
	for _, network := range []string{"ip", "udp", "", "ip6"} {
		if c, err := only4.ListenEcho(network, 0); err == nil {
			t.Errorf("network %q: socket %d", network, c.ID())
		}
	}
	c, err := only4.ListenEcho("ip4", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WriteTo(nil, agent6.Addr(), 1); err == nil {
		t.Error("an IPv6 address was accepted")
	}
	if err := c.WriteTo(nil, netip.Addr{}, 1); err == nil {
		t.Error("the zero Addr was accepted")
	}
	if err := c.WriteTo(nil, netip.MustParseAddr("192.0.2.1"), 1); !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("outside the link: %v", err)
	}
	for _, ttl := range []int{-1, 0, 256} {
		if err := c.SetTTL(ttl); err == nil {
			t.Errorf("the TTL %d was accepted", ttl)
		}
	}
}

// If the queue is full, a request returns an error and is counted.
func TestEchoQueueFull(t *testing.T) {
	s := newStack(t, Config{Addr: peer4, Queue: 2})
	c, err := s.ListenEcho("ip4", 0)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint16(5) {
		err := c.WriteTo(nil, agent4.Addr(), seq)
		if full := errors.Is(err, syscall.ENOBUFS); full != (seq >= 2) {
			t.Errorf("request %d: %v", seq, err)
		}
	}
	if s.Dropped() != 3 {
		t.Errorf("Dropped %d, want 3", s.Dropped())
	}
	for seq := range byte(2) { // the oldest stay, in order
		if p := read(t, s); p[27] != seq {
			t.Errorf("% x, want number %d", p, seq)
		}
	}
}

func TestEchoClose(t *testing.T) {
	for _, what := range []string{"socket", "stack"} {
		s := newPeer(t)
		c, err := s.ListenEcho("ip4", 0)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := c.ReadFrom(withLimit(t))
			ended <- err
		}()
		if what == "stack" {
			s.Close()
		} else {
			c.Close()
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("ReadFrom while the %s is closed: %v", what, err)
		}
		if err := c.WriteTo(nil, agent4.Addr(), 1); !errors.Is(err, net.ErrClosed) {
			t.Errorf("WriteTo after the %s is closed: %v", what, err)
		}
	}
	s := newPeer(t)
	s.Close()
	if _, err := s.ListenEcho("ip4", 0); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ListenEcho after Close: %v", err)
	}
}
