package tun_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// limit is how long a test waits for what must come: nothing waits for it to
// pass.
const limit = 20 * time.Second

// both is a config with both families.
var both = tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")}

// onEach runs a test on a link of each kind that needs no privilege.
func onEach(t *testing.T, test func(t *testing.T, link *tun.Link)) {
	t.Run("private", func(t *testing.T) { test(t, tuntest.OpenPrivate(t, both)) })
	t.Run("memory", func(t *testing.T) {
		cfg := both
		cfg.Network = "memory"
		link, err := tun.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { link.Close() })
		test(t, link)
	})
}

// newAgent puts a network stack in the agent's place until the test ends.
func newAgent(t *testing.T, link *tun.Link) *netstack.Stack {
	t.Helper()
	agent, err := netstack.New(netstack.Config{Addr: netip.PrefixFrom(link.Agent(), 24), Addr6: netip.PrefixFrom(link.Agent6(), 64)})
	if err != nil {
		t.Fatal(err)
	}
	var pumps sync.WaitGroup
	pump := func(from, to tun.Device) func() {
		return func() {
			p := make([]byte, 65535)
			for {
				n, err := from.Read(p)
				if err != nil {
					return
				}
				to.Write(p[:n])
			}
		}
	}
	pumps.Go(pump(link, agent))
	pumps.Go(pump(agent, link))
	t.Cleanup(func() {
		link.Close()
		agent.Close()
		pumps.Wait()
	})
	return agent
}

// serveTCP hands each connection to the agent's port to a goroutine.
func serveTCP(t *testing.T, agent *netstack.Stack, port string, handle func(net.Conn)) {
	t.Helper()
	l, err := agent.Listen("tcp", port)
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
func dial(t *testing.T, link *tun.Link, network, address string, ttl int) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := link.DialContext(ctx, network, address, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(limit))
	return c
}

func TestDialTCP(t *testing.T) {
	onEach(t, func(t *testing.T, link *tun.Link) {
		serveTCP(t, newAgent(t, link), ":7", func(c net.Conn) { io.Copy(c, c) })
		for _, to := range []struct{ network, address string }{
			{"tcp", "10.77.0.2:7"}, {"tcp4", "10.77.0.2:7"}, {"tcp", "[2001:db8:77::2]:7"}, {"tcp6", "[2001:db8:77::2]:7"},
			{"tcp", "[::ffff:10.77.0.2]:7"},
		} {
			c := dial(t, link, to.network, to.address, 0)
			if want := netip.MustParseAddrPort(to.address); netip.MustParseAddrPort(c.RemoteAddr().String()).Addr() != want.Addr().Unmap() {
				t.Errorf("%v: the remote address is %s", to, c.RemoteAddr())
			}
			io.WriteString(c, "hello")
			if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Errorf("%v: CloseWrite: %v", to, err)
			}
			if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
				t.Errorf("%v: %q, %v", to, got, err)
			}
		}
	})
}

func TestDialTCPBulk(t *testing.T) {
	onEach(t, func(t *testing.T, link *tun.Link) {
		serveTCP(t, newAgent(t, link), ":7", func(c net.Conn) {
			// One way at a time: where two netstacks' windows are closed both
			// ways and packets are lost, they may stay stuck.
			body, _ := io.ReadAll(c)
			c.Write(body)
		})
		body := make([]byte, 5_000_000)
		rand.NewChaCha8([32]byte{}).Read(body)
		c := dial(t, link, "tcp", "10.77.0.2:7", 0)
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
		t.Logf("5 MB there and back in %v", time.Since(start))
	})
}

func TestDialUDP(t *testing.T) {
	onEach(t, func(t *testing.T, link *tun.Link) {
		agent := newAgent(t, link)
		server, err := agent.ListenPacket("udp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			p := make([]byte, 65535)
			for {
				n, from, err := server.ReadFrom(p)
				if err != nil {
					return
				}
				server.WriteTo(p[:n], from)
			}
		}()
		for _, address := range []string{"10.77.0.2:7", "[2001:db8:77::2]:7"} {
			c := dial(t, link, "udp", address, 0)
			p := make([]byte, 65535)
			for _, size := range []int{0, 1, 1472, 9000} {
				if n, err := c.Write(p[:size]); n != size || err != nil {
					t.Fatalf("%s, %d bytes: Write gave %d, %v", address, size, n, err)
				}
				if n, err := c.Read(p); n != size || err != nil {
					t.Errorf("%s, %d bytes: Read gave %d, %v", address, size, n, err)
				}
			}
		}
	})
}

func TestDialTTL(t *testing.T) {
	onEach(t, func(t *testing.T, link *tun.Link) {
		for _, c := range []struct {
			network, address string
			ttl, want, at    int // at: where an IP header has it
		}{
			{"udp", "10.77.0.2:33434", 0, 64, 8},
			{"udp", "10.77.0.2:33434", 1, 1, 8},
			{"udp", "[2001:db8:77::2]:33434", 7, 7, 7},
			{"tcp", "10.77.0.2:80", 255, 255, 8},
			{"tcp", "[2001:db8:77::2]:80", 3, 3, 7},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { // nobody answers: a SYN is all that comes of TCP
				conn, err := link.DialContext(ctx, c.network, c.address, c.ttl)
				if err == nil {
					_, err = conn.Write([]byte("probe"))
					conn.Close()
				}
				done <- err
			}()
			p := make([]byte, 65535)
			if _, err := link.Read(p); err != nil || int(p[c.at]) != c.want {
				t.Errorf("%+v: the packet has TTL %d, %v", c, p[c.at], err)
			}
			cancel()
			if err := <-done; (c.network == "tcp") != errors.Is(err, context.Canceled) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}
