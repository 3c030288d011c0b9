package handler_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

const (
	agent4 = "10.77.0.2"
	agent6 = "2001:db8:77::2"
)

// patience is longer than any step here takes on a busy machine.
const patience = time.Minute

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (h *host) dial(network, addr, port string) net.Conn {
	h.t.Helper()
	c, err := h.peer.DialContext(within(h.t), network, net.JoinHostPort(addr, port))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// random returns n bytes, the same in every run.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // cannot fail
	return b
}

// A program cannot import another, so host.star and tcp.star share a part by copying. It must
// be the same in both.
func TestExamplesShareTheirHost(t *testing.T) {
	shared := func(name string) string {
		_, rest, found := strings.Cut(source(t, name), "# ---- What both host.star and tcp.star have ----\n")
		all, _, ends := strings.Cut(rest, "# ---- What only "+name+" has ----\n")
		if !found || !ends {
			t.Fatalf("%s has no shared part", name)
		}
		return all
	}
	if shared("host.star") != shared("tcp.star") {
		t.Error("the shared part differs")
	}
}

func TestExamplesAnswerPings(t *testing.T) {
	for _, name := range []string{"host.star", "tcp.star"} {
		for network, to := range map[string]string{"ip4": agent4, "ip6": agent6} {
			t.Run(name+"/"+network, func(t *testing.T) {
				h := start(t, name, nil)
				c, err := h.peer.ListenEcho(network, 77)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				for i, size := range []int{0, 1, 57, 1400, 1472, 1473, 3000, 10001} {
					data := random(size)
					if err := c.WriteTo(data, netip.MustParseAddr(to), uint16(i)); err != nil {
						t.Fatal(err)
					}
					m, err := c.ReadFrom(within(t))
					if err != nil {
						t.Fatalf("%d bytes: %v", size, err)
					}
					if !m.IsReply() || m.Seq != uint16(i) || !bytes.Equal(m.Data, data) {
						t.Errorf("%d bytes: %+v", size, m)
					}
				}
				if len(h.passed) > 0 {
					t.Errorf("passed to the agent: %x", h.passed)
				}
			})
		}
	}
}

func TestExamplesAnswerUDP(t *testing.T) {
	h := start(t, "host.star", nil)
	for network, to := range map[string]string{"udp4": agent4, "udp6": agent6} {
		echo := h.dial(network, to, "7")
		for _, size := range []int{1, 512, 4001} {
			data, got := random(size), make([]byte, 8192)
			if _, err := echo.Write(data); err != nil {
				t.Fatal(err)
			}
			if n, err := echo.Read(got); err != nil || !bytes.Equal(got[:n], data) {
				t.Errorf("%s, %d bytes: %d bytes, %v", network, size, n, err)
			}
		}
		closed := h.dial(network, to, "49151")
		if _, err := closed.Write([]byte("is anybody there?")); err != nil {
			t.Fatal(err)
		}
		if _, err := closed.Read(make([]byte, 64)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s to a closed port: %v", network, err)
		}
	}
}

func TestExamplesRefuseTCP(t *testing.T) {
	for _, name := range []string{"host.star", "tcp.star"} {
		h := start(t, name, nil)
		for _, to := range []string{agent4, agent6} {
			_, err := h.peer.DialContext(within(t), "tcp", net.JoinHostPort(to, "81"))
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s, %s: %v", name, to, err)
			}
		}
	}
}

// host.star drops packets that a host must ignore. It passes unknown protocols to the agent.
func TestExamplesIgnoreNoise(t *testing.T) {
	h := start(t, "host.star", nil)
	good, _ := hex.DecodeString("4500002400000000400166b30a4d00010a4d00020800000000010002" + "0011223344556677")
	good, err := packet.Fix(good)
	if err != nil {
		t.Fatal(err)
	}
	if packets, taken := h.handle(good); !taken || len(packets) != 1 {
		t.Fatalf("%x is not answered: %v %x", good, taken, packets)
	}
	change := func(at int, value byte, fix bool) []byte {
		b := bytes.Clone(good)
		b[at] = value
		if fix {
			if b, err = packet.Fix(b); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	for name, b := range map[string][]byte{
		"empty": {}, "truncated": good[:30], "truncated to 3 bytes": good[:3], "version 5": change(0, 0x55, false),
		"IP checksum": change(10, 1, false), "ICMP checksum": change(22, 1, false),
		"another host": change(19, 9, true), "broadcast": change(19, 255, true), "multicast": change(16, 224, true),
		"from loopback": change(12, 127, true), "from a group": change(12, 225, true), "from itself": change(15, 2, true),
		"a reply": change(20, 0, true), "a first fragment": change(6, 0x20, true), "a last fragment": change(7, 5, true),
	} {
		if packets, taken := h.handle(b); !taken || len(packets) != 0 {
			t.Errorf("%s: %v %x", name, taken, packets)
		}
	}
	unknown := change(9, 253, true)
	if _, taken := h.handle(unknown); taken {
		t.Error("an unknown protocol is not passed to the agent")
	}
}

// Fragments may come in any order and be duplicated.
func TestExamplesReassemble(t *testing.T) {
	h := start(t, "host.star", nil)
	whole := make([]byte, 28, 76)
	copy(whole, []byte{0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, 1, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2, 8})
	whole, err := packet.Fix(append(whole, random(40)...))
	if err != nil {
		t.Fatal(err)
	}
	part := func(at, n int, more byte) []byte {
		b := append(bytes.Clone(whole[:20]), whole[20+at:20+at+n]...)
		b[6], b[7] = more<<5, byte(at/8)
		b, err := packet.Fix(b)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, b, c := part(0, 16, 1), part(16, 16, 1), part(32, 16, 0)
	for name, order := range map[string][][]byte{"backwards": {c, b, a}, "one twice": {a, b, b, c}, "mixed": {b, c, a}} {
		for i, p := range order {
			packets, taken := h.handle(p)
			if i < len(order)-1 && (!taken || len(packets) > 0) {
				t.Errorf("%s: after fragment %d: %x", name, i+1, packets)
			}
			if i == len(order)-1 && (len(packets) != 1 || !bytes.Equal(packets[0][24:], whole[24:])) {
				t.Errorf("%s: %x", name, packets)
			}
		}
	}
}

func (h *host) echo(network, to string, size int) error {
	c, err := h.peer.DialContext(within(h.t), network, net.JoinHostPort(to, "7"))
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	data := random(size)
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(data)
		if err == nil {
			err = c.(interface{ CloseWrite() error }).CloseWrite()
		}
		sent <- err
	}()
	got, err := io.ReadAll(c)
	if err := errors.Join(err, <-sent); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", len(got), size, err)
	}
	if !bytes.Equal(got, data) {
		return fmt.Errorf("the %d bytes that came back differ from the %d bytes sent", len(got), size)
	}
	return nil
}

func (h *host) get(path string) (int, []byte, error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return h.peer.DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://" + agent4 + path)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

func TestExampleTCP(t *testing.T) {
	h := start(t, "tcp.star", nil)
	for network, to := range map[string]string{"tcp4": agent4, "tcp6": agent6} {
		for _, size := range []int{0, 1, 1000, 200_000} {
			if err := h.echo(network, to, size); err != nil {
				t.Errorf("%s, %d bytes: %v", network, size, err)
			}
		}
	}
	for path, want := range map[string]int{"/": 200, "/none": 404, "/bytes?n=0": 200, "/bytes?n=1000000": 200, "/bytes?n=x": 404} {
		status, body, err := h.get(path)
		if err != nil || status != want {
			t.Errorf("%s: %d, %v", path, status, err)
		}
		if path == "/" && !bytes.Contains(body, []byte("Hello")) {
			t.Errorf("%q", body)
		}
		if path == "/bytes?n=1000000" {
			page := bytes.Repeat(body[:65536], 16)[:len(body)]
			if len(body) != 1_000_000 || sha256.Sum256(page) != sha256.Sum256(body) {
				t.Errorf("%d bytes that do not repeat after 64 KiB", len(body))
			}
		}
	}
	if len(h.passed) > 0 {
		t.Errorf("passed to the agent: %x", h.passed)
	}
}

// Many connections at once each get their own bytes.
func TestExampleTCPManyConnections(t *testing.T) {
	h := start(t, "tcp.star", nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := h.echo("tcp4", agent4, 20_000); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// No byte is lost on a link that loses packets in both directions.
func TestExampleTCPLoss(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 8))
			h := start(t, "tcp.star", func() bool { return random.IntN(100) < 8 })
			if err := h.echo("tcp4", agent4, 60_000); err != nil {
				t.Error(err)
			}
			if status, body, err := h.get("/bytes?n=100000"); err != nil || status != 200 || len(body) != 100_000 {
				t.Errorf("%d, %d bytes, %v", status, len(body), err)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.lost == 0 {
				t.Error("the link lost nothing")
			}
		})
	}
}

// A segment that arrives early waits for its turn, and both ends close.
func TestExampleTCPOrder(t *testing.T) {
	h := start(t, "tcp.star", nil)
	const synAck, finAck, ack, fin, syn, rst = 0x12, 0x11, 0x10, 0x01, 0x02, 0x04
	send := func(seq, number uint32, flags byte, data string) []byte {
		b := make([]byte, 40, 40+len(data))
		copy(b, []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2, 0x30, 0x39, 0, 7})
		b[24], b[25], b[26], b[27] = byte(seq>>24), byte(seq>>16), byte(seq>>8), byte(seq)
		b[28], b[29], b[30], b[31] = byte(number>>24), byte(number>>16), byte(number>>8), byte(number)
		b[32], b[33], b[34] = 0x50, flags, 0x20
		b, err := packet.Fix(append(b, data...))
		if err != nil {
			t.Fatal(err)
		}
		packets, taken := h.handle(b)
		if !taken || len(packets) > 1 {
			t.Fatalf("%v %x", taken, packets)
		}
		if len(packets) == 0 {
			return nil
		}
		return packets[0]
	}
	u32 := func(b []byte, at int) uint32 {
		return uint32(b[at])<<24 | uint32(b[at+1])<<16 | uint32(b[at+2])<<8 | uint32(b[at+3])
	}
	const iss = 0xfffffff8 // it wraps on the way
	p := send(iss, 0, syn, "")
	if p == nil || p[33] != synAck || u32(p, 28) != iss+1 {
		t.Fatalf("SYN: %x", p)
	}
	theirs := u32(p, 24)
	if p := send(iss, 0, syn, ""); p == nil || p[33] != synAck || u32(p, 24) != theirs {
		t.Errorf("the SYN repeated: %x", p)
	}
	if p := send(iss+1, theirs+1, ack, ""); p != nil {
		t.Errorf("the last ACK of the handshake is answered: %x", p)
	}
	var first uint32 = iss + 1
	at := func(n uint32) uint32 { return first + n } // the sequence number of byte n
	if p := send(at(6), theirs+1, ack, "world!"); p == nil || len(p) != 40 || u32(p, 28) != at(0) {
		t.Errorf("an early segment: %x", p)
	}
	if p := send(at(12), theirs+1, finAck, ""); p == nil || len(p) != 40 || u32(p, 28) != at(0) {
		t.Errorf("an early FIN: %x", p)
	}
	p = send(at(0), theirs+1, ack, "hello ")
	if p == nil || string(p[40:]) != "hello world!" || u32(p, 28) != at(13) || p[33]&fin == 0 {
		t.Errorf("in turn: %x", p)
	}
	if p := send(at(0), theirs+1, ack, "hello "); p == nil || len(p) != 40 || u32(p, 28) != at(13) {
		t.Errorf("a repeated segment: %x", p)
	}
	if p := send(at(13), theirs+1+12+1, ack, ""); p != nil {
		t.Errorf("the last ACK is answered: %x", p)
	}
	if p := send(at(13), theirs+14, ack, ""); p == nil || p[33] != rst || u32(p, 24) != theirs+14 {
		t.Errorf("an ACK after the end: %x", p)
	}
}

// BenchmarkExampleDownload downloads from tcp.star over a link in memory.
func BenchmarkExampleDownload(b *testing.B) {
	const size = 5_000_000
	h := start(b, "tcp.star", nil)
	b.SetBytes(size)
	for b.Loop() {
		if status, body, err := h.get(fmt.Sprintf("/bytes?n=%d", size)); err != nil || status != 200 || len(body) != size {
			b.Fatalf("%d, %d bytes, %v", status, len(body), err)
		}
	}
}
