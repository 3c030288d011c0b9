package handler_test

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// tickEvery is how often a test host calls tick. Each call claims that 100 ms have passed, so
// that retransmissions take less time.
const tickEvery = 20 * time.Millisecond

// host runs a program of examples/handlers at one end of a link. The peer is a complete stack.
type host struct {
	t    testing.TB
	peer *netstack.Stack

	mu      sync.Mutex // guards the fields below
	program *handler.Handler
	lose    func() bool // reports whether to lose the next packet, in either direction; nil loses none
	lost    int
	steps   int      // the most steps for one packet
	passed  [][]byte // packets that the program passed to the agent
}

// source reads a program of examples/handlers.
func source(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("../examples/handlers/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// start runs a program until the test ends.
func start(t testing.TB, name string, lose func() bool) *host {
	t.Helper()
	// A generous time limit, for busy machines.
	program, err := handler.Load(source(t, name), handler.Options{Name: name, Limits: handler.Limits{Time: patience}})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := netstack.New(netstack.Config{Addr: netip.MustParsePrefix("10.77.0.1/24"), Addr6: netip.MustParsePrefix("2001:db8:77::1/64")})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, peer: peer, program: program, lose: lose}
	var running sync.WaitGroup
	done := make(chan struct{})
	running.Go(h.read)
	running.Go(func() { h.tick(done) })
	t.Cleanup(func() {
		close(done)
		peer.Close()
		running.Wait()
		if h.steps > handler.DefaultSteps*9/10 {
			t.Errorf("%d steps for a packet are too close to the limit of %d", h.steps, handler.DefaultSteps)
		}
	})
	return h
}

// read runs the program on every packet from the peer.
func (h *host) read() {
	buffer := make([]byte, packet.MaxLen)
	for {
		n, err := h.peer.Read(buffer)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				h.t.Error(err)
			}
			return
		}
		h.mu.Lock()
		if h.lose != nil && h.lose() {
			h.lost++
		} else {
			packets, taken, err := h.program.Handle(buffer[:n])
			if err != nil {
				h.t.Errorf("handle(%x): %v", buffer[:min(n, 60)], err)
			}
			h.steps = max(h.steps, h.program.Steps())
			if !taken {
				h.passed = append(h.passed, append([]byte(nil), buffer[:n]...))
			}
			h.write(packets)
		}
		h.mu.Unlock()
	}
}

// tick runs the program's tick until done is closed.
func (h *host) tick(done chan struct{}) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for since := handler.TickEvery; ; since += handler.TickEvery {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		h.mu.Lock()
		packets, err := h.program.Tick(since)
		if err != nil {
			h.t.Error(err)
		}
		h.write(packets)
		h.mu.Unlock()
	}
}

// write checks the packets that the program sends, and gives them to the peer.
func (h *host) write(packets [][]byte) {
	for _, p := range packets {
		for _, fault := range packet.Check(p) {
			h.t.Errorf("%x: %v", p, fault)
		}
		if h.lose != nil && h.lose() {
			h.lost++
			continue
		}
		_, _ = h.peer.Write(p) // fails at the end of the test
	}
}

// handle runs the program on one packet, in addition to the peer's.
func (h *host) handle(p []byte) (packets [][]byte, taken bool) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	packets, taken, err := h.program.Handle(p)
	if err != nil {
		h.t.Fatalf("handle(%x): %v", p, err)
	}
	for i, p := range packets {
		for _, fault := range packet.Check(p) {
			h.t.Errorf("%x: %v", p, fault)
		}
		packets[i] = append([]byte(nil), p...)
	}
	return packets, taken
}
