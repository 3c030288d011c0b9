package session

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// limit is how long a test waits for what must come: nothing waits for it to
// pass.
const limit = 20 * time.Second

// A dialled is a session whose agent is a network stack.
type dialled struct {
	session *Session
	control *Control
	client  *Client
	agent   *netstack.Stack
}

// onEach runs a test on a session of each network that needs no privilege.
func onEach(t *testing.T, test func(t *testing.T, d dialled)) {
	t.Run("private", func(t *testing.T) {
		test(t, withAgent(t, tuntest.OpenPrivate(t, tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")})))
	})
	t.Run("memory", func(t *testing.T) { test(t, withAgent(t, memoryLink(t))) })
}

func withAgent(t *testing.T, link *tun.Link) dialled {
	t.Helper()
	var d dialled
	d.session, d.control, d.client = serving(t, link)
	var err error
	d.agent, err = netstack.New(netstack.Config{Addr: netip.PrefixFrom(link.Agent(), 24), Addr6: netip.PrefixFrom(link.Agent6(), 64)})
	if err != nil {
		t.Fatal(err)
	}
	var pumps sync.WaitGroup
	pumps.Go(func() {
		for {
			b, err := d.session.Read(context.Background(), ReadOptions{Timeout: time.Minute, Max: 64})
			if err != nil {
				return
			}
			for _, p := range b.Packets {
				d.agent.Write(p.Data)
			}
		}
	})
	pumps.Go(func() {
		p := make([]byte, maxPacket)
		for {
			n, err := d.agent.Read(p)
			if err != nil {
				return
			}
			d.session.Write(context.Background(), bytes.Clone(p[:n]), 0)
		}
	})
	t.Cleanup(func() {
		d.session.Close()
		d.agent.Close()
		pumps.Wait()
	})
	return d
}

// serveTCP hands each connection to a port of the agent to a goroutine.
func (d dialled) serveTCP(t *testing.T, port string, handle func(net.Conn)) {
	t.Helper()
	l, err := d.agent.Listen("tcp", port)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
}

// dial connects, with a limit on everything that follows.
func (d dialled) dial(t *testing.T, network, address string, ttl int) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := d.client.Dial(ctx, network, address, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(limit))
	return c
}

func echoTCP(c net.Conn) { io.Copy(c, c) }

func TestDialTCP(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		d.serveTCP(t, ":7", echoTCP)
		for _, to := range []string{"10.77.0.2:7", "[2001:db8:77::2]:7"} {
			c := d.dial(t, "tcp", to, 0)
			if c.RemoteAddr().String() != to || c.LocalAddr().Network() != "tcp" {
				t.Errorf("addresses %v and %v, want %s", c.LocalAddr(), c.RemoteAddr(), to)
			}
			io.WriteString(c, "hello")
			if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Errorf("CloseWrite: %v", err)
			}
			if _, err := c.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("Write after CloseWrite gave %v", err)
			}
			if err := iotest.TestReader(c, []byte("hello")); err != nil {
				t.Error(err)
			}
			c.Close()
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Read after Close gave %v", err)
			}
			if err := c.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the second Close gave %v", err)
			}
		}
	})
}

func TestDialTCPBulk(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		d.serveTCP(t, ":7", func(c net.Conn) {
			// One way at a time: where two netstacks' windows are closed both
			// ways and packets are lost, they may stay stuck.
			body, _ := io.ReadAll(c)
			c.Write(body)
		})
		body := make([]byte, 5_000_000)
		rand.NewChaCha8([32]byte{}).Read(body)
		c := d.dial(t, "tcp", "10.77.0.2:7", 0)
		start := time.Now()
		go func() {
			io.Copy(c, bytes.NewReader(body))
			c.(interface{ CloseWrite() error }).CloseWrite()
		}()
		hash := sha256.New()
		n, err := io.Copy(hash, c)
		if err != nil || [32]byte(hash.Sum(nil)) != sha256.Sum256(body) {
			t.Errorf("%d bytes came back, %v, or changed", n, err)
		}
		t.Logf("5 MB there and back in %v, %+v", time.Since(start), d.session.Counters())
	})
}

func TestDialHTTP(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		l, err := d.agent.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s", r.URL, r.RemoteAddr)
		})}
		go server.Serve(l)
		defer server.Close()
		client := &http.Client{Timeout: limit, Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return d.client.Dial(ctx, network, address, 0)
			},
		}}
		defer client.CloseIdleConnections()
		for _, path := range []string{"/one", "/two"} {
			response, err := client.Get("http://10.77.0.2" + path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || !strings.HasPrefix(string(got), path+" 10.77.0.1:") {
				t.Errorf("got %q, %v", got, err)
			}
		}
		_, err = client.Get("http://10.77.0.2:81/")
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a closed port gave %v", err)
		}
	})
}

func TestDialUDP(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		server, err := d.agent.ListenPacket("udp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			p := make([]byte, maxPacket)
			for {
				n, from, err := server.ReadFrom(p)
				if err != nil {
					return
				}
				server.WriteTo(p[:n], from)
			}
		}()
		for _, to := range []string{"10.77.0.2:7", "[2001:db8:77::2]:7"} {
			c := d.dial(t, "udp", to, 9)
			if _, ok := c.(interface{ CloseWrite() error }); ok {
				t.Error("UDP has a CloseWrite")
			}
			p := make([]byte, maxPacket)
			for _, size := range []int{0, 1, 1472, 9000} {
				if n, err := c.Write(p[:size]); n != size || err != nil {
					t.Fatalf("%s, %d bytes: Write gave %d, %v", to, size, n, err)
				}
				if n, err := c.Read(p); n != size || err != nil {
					t.Errorf("%s, %d bytes: Read gave %d, %v", to, size, n, err)
				}
			}
			for i := range 3 { // what waits keeps its bounds
				c.Write(bytes.Repeat([]byte{byte(i)}, 10*(i+1)))
			}
			for i := range 3 {
				want := min(10*(i+1), 25)
				if n, err := c.Read(p[:25]); n != want || err != nil || p[0] != byte(i) || p[n-1] != byte(i) {
					t.Errorf("%s: datagram %d is %x, %v", to, i, p[:n], err)
				}
			}
			if _, err := c.Write(p); !errors.Is(err, syscall.EMSGSIZE) {
				t.Errorf("%s: Write of 65,535 bytes gave %v", to, err)
			}
		}
	})
}

func TestDialTTL(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		events, stop := d.session.Watch()
		defer stop()
		d.dial(t, "udp", "10.77.0.2:33434", 1).Write([]byte("probe"))
		e := <-events
		if p, err := d.session.Packet(e.Number); err != nil || p.Data[8] != 1 {
			t.Errorf("the packet is %+v, %v, want TTL 1", p, err)
		}
	})
}

func TestDialErrors(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		for _, c := range []struct {
			network, address string
			ttl              int
			is               error
			text             string
		}{
			{"tcp", "10.77.0.2:81", 0, syscall.ECONNREFUSED, "dial tcp 10.77.0.2:81: "},
			{"tcp", "192.0.2.1:80", 0, syscall.ENETUNREACH, "dial tcp 192.0.2.1:80: "},
			{"tcp", "agent:80", 0, nil, "not an IP address and a port"},
			{"udp", "10.77.0.2:7", 300, nil, "TTL 300 is out of range"},
			{"tcp", strings.Repeat("x", 5000), 0, nil, "buffer full"},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			_, err := d.client.Dial(ctx, c.network, c.address, c.ttl)
			cancel()
			if err == nil || !strings.Contains(err.Error(), c.text) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		u := d.dial(t, "udp", "10.77.0.2:81", 0)
		for range 2 { // one refusal is not its end
			u.Write([]byte("x"))
			if _, err := u.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("a refused datagram gave %v", err)
			}
		}
	})
}

func TestDialReset(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		d.serveTCP(t, ":80", func(c net.Conn) {
			c.Read(make([]byte, 1)) // and no more: closed with data unread, it resets
		})
		for _, size := range []int{1000, 1_000_000} {
			c := d.dial(t, "tcp", "10.77.0.2:80", 0)
			wrote := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, size))
				wrote <- err
			}()
			if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Read gave %v", err)
			}
			if err := <-wrote; err != nil && !errors.Is(err, syscall.EPIPE) {
				t.Errorf("Write gave %v", err)
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a second Read gave %v", err)
			}
		}
	})
}

// A deadline may cut a frame in two: what follows still fits.
func TestDialDeadlines(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		start := make(chan struct{})
		d.serveTCP(t, ":7", func(c net.Conn) {
			<-start
			io.Copy(c, c)
		})
		c := d.dial(t, "tcp", "10.77.0.2:7", 0)
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read gave %v", err)
		}
		c.SetReadDeadline(time.Now().Add(limit))

		body := make([]byte, 20_000_000)
		rand.NewChaCha8([32]byte{}).Read(body)
		c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		n, err := c.Write(body) // more than fits anywhere on the way
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(body) {
			t.Fatalf("Write gave %d, %v", n, err)
		}
		c.SetWriteDeadline(time.Now().Add(limit))
		body = body[:n+1000]
		close(start)
		go func() {
			c.Write(body[n:])
			c.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes of %d came back, %v", len(got), len(body), err)
		}
	})
}

func TestDialCutShort(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(t *testing.T) *tun.Link
	}{
		{"private", func(t *testing.T) *tun.Link { return tuntest.OpenPrivate(t, tun.Config{}) }},
		{"memory", memoryLink},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, control, client := serving(t, c.open(t)) // nobody answers
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := client.Dial(ctx, "tcp", "10.77.0.2:80", 0)
			if n, ok := errors.AsType[net.Error](err); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) || !ok || !n.Timeout() {
				t.Errorf("the deadline gave %v", err)
			}

			ctx, cancel = context.WithCancel(t.Context())
			done := make(chan error, 1)
			dial := func() {
				_, err := client.Dial(ctx, "tcp", "10.77.0.2:80", 0)
				done <- err
			}
			syn := func() {
				if b, err := s.Read(t.Context(), ReadOptions{Timeout: limit, Max: 64}); err != nil || len(b.Packets) == 0 {
					t.Fatalf("no SYN: %v", err)
				}
			}
			syn() // of the first dial
			go dial()
			syn()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("cancel gave %v", err)
			}
			ctx = t.Context()
			go dial()
			syn()
			control.Close()
			if _, ended := errors.AsType[*Ended](<-done); !ended {
				t.Errorf("the end of the control socket gave %v", err)
			}
			if _, err := client.Dial(t.Context(), "tcp", "10.77.0.2:80", 0); err == nil {
				t.Error("a dial after the end succeeded")
			}
		})
	}
}

func TestDialEndsWithTheSession(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		d.serveTCP(t, ":7", echoTCP)
		var conns []net.Conn
		for _, network := range []string{"tcp", "udp"} {
			conns = append(conns, d.dial(t, network, "10.77.0.2:7", 0))
		}
		failed := make(chan error, len(conns))
		for _, c := range conns {
			go func() {
				_, err := c.Read(make([]byte, 1))
				failed <- err
			}()
		}
		d.session.Close()
		for range conns {
			ended, ok := errors.AsType[*Ended](<-failed)
			if !ok || ended.Session != "test" || ended.Why != "its server was stopped" {
				t.Errorf("Read gave %v", ended)
			}
		}
	})
}

func TestDialLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		d.serveTCP(t, ":7", echoTCP)
		d.dial(t, "tcp", "10.77.0.2:7", 0).Close()
		start := time.Now()
		for i := range 100 {
			c := d.dial(t, "tcp", "10.77.0.2:7", 0)
			if i%2 == 0 {
				io.WriteString(c, "hello")
				io.ReadFull(c, make([]byte, 5))
			}
			c.Close()
			d.dial(t, "udp", "10.77.0.2:7", 0).Close()
		}
		t.Logf("200 dials in %v", time.Since(start))
		d.control.dials.Wait() // every relay ends by itself
	})
}

// What is not the protocol ends the connection, and nothing else.
func TestDialProtocol(t *testing.T) {
	d := withAgent(t, memoryLink(t))
	d.serveTCP(t, ":7", echoTCP)
	const upgrade = "POST /dial HTTP/1.1\r\nHost: session\r\nConnection: Upgrade\r\nUpgrade: tun-mcp-dial\r\n\r\n"
	const request = `{"network":"tcp","address":"10.77.0.2:7"}` + "\n"
	for _, c := range []struct{ name, send, want string }{
		{"no upgrade", "POST /dial HTTP/1.1\r\nHost: session\r\nConnection: close\r\n\r\n", "426 Upgrade Required"},
		{"no JSON", upgrade + "hello\n", "the line is not"},
		{"unknown frame", upgrade + request + "\x00\x00\x00\x00\x09", `"remote":"10.77.0.2:7"`},
		{"long frame", upgrade + request + "\xff\xff\xff\xff\x01", `"remote":"10.77.0.2:7"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire, err := net.Dial("unix", d.client.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer wire.Close()
			wire.SetDeadline(time.Now().Add(limit))
			io.WriteString(wire, c.send)
			got, err := io.ReadAll(wire)
			if !strings.Contains(string(got), c.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	fake := tuntest.NewDevice()
	_, _, client := serving(t, fake)
	if _, err := client.Dial(t.Context(), "tcp", "10.77.0.2:7", 0); err == nil || !strings.Contains(err.Error(), "no sockets to offer") {
		t.Errorf("a peer without sockets gave %v", err)
	}
}

func TestFaultsCross(t *testing.T) {
	for _, known := range faults {
		data, err := json.Marshal(faultOf(&net.OpError{Op: "read", Err: os.NewSyscallError("connect", known.is[0])}))
		if err != nil {
			t.Fatal(err)
		}
		var f Fault
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		for _, is := range known.is {
			if got := f.err("test"); f.Kind != known.kind || !errors.Is(got, is) {
				t.Errorf("%s arrives as %v", data, got)
			}
		}
	}
	if f := faultOf(errors.New("odd")); f.Kind != faultOther || f.err("test").Error() != "odd" {
		t.Errorf("got %+v", f)
	}
	if err := (&Fault{faultEnded, "why"}).err("test"); err.Error() != "session test has ended: why" {
		t.Errorf("got %v", err)
	}
}

// A frame may arrive byte by byte.
func TestReadFrame(t *testing.T) {
	frame := append(make([]byte, frameHead), "hello"...)
	putHead(frame, frameData, 5)
	kind, data, err := readFrame(bufio.NewReader(iotest.OneByteReader(bytes.NewReader(frame))), make([]byte, maxFrame))
	if kind != frameData || string(data) != "hello" || err != nil {
		t.Errorf("got %d, %q, %v", kind, data, err)
	}
	if _, _, err := readFrame(bytes.NewReader(frame[:7]), make([]byte, maxFrame)); err != io.ErrUnexpectedEOF {
		t.Errorf("a frame that breaks off gave %v", err)
	}
}
