package control

import (
	"bytes"
	"context"
	"crypto/sha256"
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
	"testing/iotest"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// limit is how long a test waits for what must come: nothing waits for it to
// pass.
const limit = 20 * time.Second

// A dialled is a session whose agent is a network stack.
type dialled struct {
	session *session.Session
	control *Server
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
			b, err := d.session.Read(context.Background(), session.ReadOptions{Timeout: time.Minute, Max: 64})
			if err != nil {
				return
			}
			for _, p := range b.Packets {
				d.agent.Write(p.Data)
			}
		}
	})
	pumps.Go(func() {
		p := make([]byte, packet.MaxLen)
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
			p := make([]byte, packet.MaxLen)
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
			p := make([]byte, packet.MaxLen)
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
