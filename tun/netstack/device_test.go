package netstack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A Stack is a tun.Device; package tun cannot be used here, since it imports this one.
var _ io.ReadWriteCloser = (*Stack)(nil)

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"Addr must be an IPv4 address":   {},
		"Addr must be an IPv4 address w": {Addr: peer6},
		"Addr6 must be an IPv6 address":  {Addr: peer4, Addr6: agent4},
		"MTU is 67; use 68":              {Addr: peer4, MTU: 67},
		"MTU is 1279; use 1280":          {Addr: peer4, Addr6: peer6, MTU: 1279},
		"MTU is 65536":                   {Addr: peer4, MTU: 65536},
		"Queue is -1":                    {Addr: peer4, Queue: -1},
	} {
		if s, err := New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v, %v, want %q", cfg, s, err, name)
		}
	}
}

func TestReadWaits(t *testing.T) {
	s := newAgent(t)
	got := make(chan []byte)
	go func() {
		buf := make([]byte, 65535)
		n, err := s.Read(buf)
		if err != nil {
			t.Error(err)
		}
		got <- buf[:n]
	}()
	write(t, s, echo(peer4.Addr(), agent4.Addr(), 1, 2, []byte("hello")))
	if p := <-got; !faultless(p) || !bytes.HasSuffix(p, []byte("hello")) {
		t.Errorf("% x", p)
	}
}

func TestReadTruncates(t *testing.T) {
	s := newAgent(t)
	for range 2 {
		write(t, s, echo(peer4.Addr(), agent4.Addr(), 1, 2, []byte("hello")))
	}
	p := make([]byte, 30)
	for _, size := range []int{30, 0} {
		if n, err := s.Read(p[:size]); n != size || err != nil {
			t.Errorf("Read into %d bytes: %d, %v", size, n, err)
		}
	}
}

func TestClose(t *testing.T) {
	s := newAgent(t)
	ended := make(chan error)
	go func() {
		_, err := s.Read(make([]byte, 100))
		ended <- err
	}()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read while Close: %v", err)
	}
	if _, err := s.Read(make([]byte, 100)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
	if _, err := s.Write(echo(peer4.Addr(), agent4.Addr(), 1, 2, nil)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	if s.Dropped() != 0 {
		t.Errorf("Dropped %d", s.Dropped())
	}
}

// After Close, Read no longer returns queued packets.
func TestCloseWithQueue(t *testing.T) {
	s := newAgent(t)
	write(t, s, echo(peer4.Addr(), agent4.Addr(), 1, 2, nil))
	s.Close()
	if n, err := s.Read(make([]byte, 100)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read after Close: %d, %v", n, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	s := newAgent(t)
	for _, p := range [][]byte{nil, {0}, {0x55}, []byte("xyz")} {
		if n, err := s.Write(p); err == nil || n != 0 {
			t.Errorf("% x: %d, %v", p, n, err)
		}
	}
}

// Read returns each packet of the stack once, in order.
func TestReadOrder(t *testing.T) {
	const packets = 20_000
	s := newAgent(t)
	read := make(chan int)
	go func() {
		buf := make([]byte, 2000)
		for i := range packets {
			n, err := s.Read(buf)
			if err != nil || n != 32 {
				t.Errorf("Read %d: %d, %v", i, n, err)
				break
			}
			if got := binary.BigEndian.Uint32(buf[28:]); got != uint32(i) {
				t.Errorf("packet %d came at place %d", got, i)
				break
			}
			if i%1000 == 999 {
				read <- i
			}
		}
		close(read)
	}()
	for i := range packets {
		write(t, s, echo(peer4.Addr(), agent4.Addr(), 1, 2, binary.BigEndian.AppendUint32(nil, uint32(i))))
		if i%1000 == 999 {
			<-read // keep the writer at most one queue ahead
		}
	}
	<-read
	if n := s.link.NumQueued(); n != 0 || s.Dropped() != 0 {
		t.Errorf("%d left, %d dropped", n, s.Dropped())
	}
}

// A stack is an ordinary host: it ignores packets that are not for it or are invalid.
func TestIgnores(t *testing.T) {
	addr := netip.MustParseAddr
	peer, agent := peer4.Addr(), agent4.Addr()
	s := newAgent(t)
	off := newStack(t, Config{Addr: agent4})
	for name, p := range map[string][]byte{
		"another host's ping":           echo(peer, addr("10.77.0.3"), 1, 1, nil),
		"a foreign host's ping":         echo(peer, addr("192.0.2.1"), 1, 1, nil),
		"another host's datagram":       datagram(peer, addr("10.77.0.3"), 1, 1, nil),
		"another host's SYN":            syn(peer, addr("10.77.0.3"), 1, 1),
		"ping to the link's broadcast":  echo(peer, addr("10.77.0.255"), 1, 1, nil),
		"ping to the general broadcast": echo(peer, addr("255.255.255.255"), 1, 1, nil),
		"ping to all hosts":             echo(peer, addr("224.0.0.1"), 1, 1, nil),
		"datagram to the broadcast":     datagram(peer, addr("10.77.0.255"), 1, 1, nil),
		"ping from the broadcast":       echo(addr("10.77.0.255"), agent, 1, 1, nil),
		"ping from nobody":              echo(addr("0.0.0.0"), agent, 1, 1, nil),
		"ping from a multicast address": echo(addr("224.0.0.1"), agent, 1, 1, nil),
		"ping from itself":              echo(agent, agent, 1, 1, nil),
		"ping from loopback":            echo(addr("127.0.0.1"), agent, 1, 1, nil),
		"ping to loopback":              echo(peer, addr("127.0.0.1"), 1, 1, nil),
		"ping from a foreign network":   echo(addr("192.0.2.1"), agent, 1, 1, nil),
		"another host's ping, IPv6":     echo(peer6.Addr(), addr("2001:db8:77::3"), 1, 1, nil),
		"ping to loopback, IPv6":        echo(peer6.Addr(), addr("::1"), 1, 1, nil),
		"ping cut short":                echo(peer, agent, 1, 1, payload(56))[:60],
		"half a header":                 {0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1},
		"one byte":                      {0x45},
		"one byte of IPv6":              {0x60},
		"stray echo reply":              packet(peer, agent, 1, []byte{0, 0, 0, 0, 0, 1, 0, 1}),
	} {
		write(t, s, p)
		write(t, off, p)
		if n := s.link.NumQueued() + off.link.NumQueued(); n != 0 {
			t.Errorf("%s: got the answer % x", name, read(t, s))
		}
	}
	write(t, off, echo(peer6.Addr(), agent6.Addr(), 1, 1, nil))
	if off.link.NumQueued() != 0 {
		t.Errorf("with IPv6 off, got the answer % x", read(t, off))
	}
	// The test would be useless if the stack never answered.
	write(t, s, echo(peer, agent, 1, 1, nil))
	write(t, s, echo(peer6.Addr(), agent6.Addr(), 1, 1, nil))
	for range 2 {
		if p := read(t, s); !faultless(p) {
			t.Errorf("% x", p)
		}
	}
}

// A new stack sends nothing by itself. Router solicitations would come within a second,
// duplicate address detection at once.
func TestSendsNothingByItself(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 1200*time.Millisecond)
	defer cancel()
	s := newAgent(t)
	if pkt := s.link.ReadContext(ctx); pkt != nil {
		t.Errorf("sent % x", pkt.ToView().AsSlice())
	}
}

// Fragments fit the MTU and are reassembled at the other end. A stack also accepts
// packets that are longer than its MTU.
func TestMTU(t *testing.T) {
	s := newStack(t, Config{Addr: agent4, Addr6: agent6, MTU: 1280})
	for _, way := range [][2]netip.Addr{{peer4.Addr(), agent4.Addr()}, {peer6.Addr(), agent6.Addr()}} {
		write(t, s, echo(way[0], way[1], 1, 1, payload(5100)))
		if n := s.link.NumQueued(); n != 5 {
			t.Errorf("the answer has %d fragments, want 5", n)
		}
		for s.link.NumQueued() > 0 {
			if p := read(t, s); len(p) > 1280 {
				t.Errorf("%d bytes", len(p))
			}
		}
	}
}

// Close leaves no goroutines, whatever the stack was doing.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		peer, agent := newPeer(t), newAgent(t)
		go pump(t, peer, agent, nil)
		go pump(t, agent, peer, nil)
		waiting := make(chan error, 10)

		l, err := agent.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		accepted := make(chan net.Conn, 1)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					waiting <- err
					return
				}
				accepted <- c
			}
		}()
		conn, err := peer.DialContext(withLimit(t), "tcp", "10.77.0.2:80")
		if err != nil {
			t.Fatal(err)
		}
		server := <-accepted
		closing, err := peer.DialContext(withLimit(t), "tcp", "[2001:db8:77::2]:80")
		if err != nil {
			t.Fatal(err)
		}
		(<-accepted).Close() // ends in TIME-WAIT
		closing.Close()
		udp, err := agent.ListenPacket("udp", ":53")
		if err != nil {
			t.Fatal(err)
		}
		ping, err := agent.ListenEcho("ip6", 0)
		if err != nil {
			t.Fatal(err)
		}
		errs, err := agent.ListenErrors()
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, err := conn.Read(make([]byte, 1)); waiting <- err }()
		go func() { _, err := server.Read(make([]byte, 1)); waiting <- err }()
		go func() { _, _, err := udp.ReadFrom(make([]byte, 1)); waiting <- err }()
		go func() { _, err := ping.ReadFrom(context.Background()); waiting <- err }()
		go func() { _, err := errs.ReadFrom(context.Background()); waiting <- err }()
		go func() { // nobody is there
			_, err := agent.DialContext(context.Background(), "tcp", "10.77.0.3:80")
			waiting <- err
		}()
		agent.Close()
		peer.Close()
		for range 7 {
			select {
			case err := <-waiting:
				// The peer may have got a reset from the agent.
				if !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
					t.Errorf("a waiting call returned %v", err)
				}
			case <-withLimit(t).Done():
				t.Fatal("Close did not wake all waiting calls")
			}
		}
	}
	deadline := time.Now().Add(limit)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", n, before, buf[:runtime.Stack(buf, true)])
	}
}
