package tuntest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// Limit is how long a test waits for something that must happen. No test waits for the
// limit itself.
const Limit = 20 * time.Second

// Both is a Config with IPv4 and IPv6.
var Both = tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")}

// OnEach runs a test on a private and on a memory link, each with IPv4 and IPv6.
func OnEach(t *testing.T, test func(t *testing.T, link *tun.Link)) {
	t.Run("private", func(t *testing.T) { test(t, OpenPrivate(t, Both)) })
	t.Run("memory", func(t *testing.T) { test(t, OpenMemory(t, Both)) })
}

// NewAgent returns a network stack with the agent's addresses on link. The caller
// connects it to link.
func NewAgent(t testing.TB, link *tun.Link) *netstack.Stack {
	t.Helper()
	agent, err := netstack.New(netstack.Config{Addr: netip.PrefixFrom(link.Agent(), 24), Addr6: netip.PrefixFrom(link.Agent6(), 64)})
	if err != nil {
		t.Fatal(err)
	}
	return agent
}

// ServeTCP calls handle on its own goroutine for each connection to a port of the agent.
func ServeTCP(t testing.TB, agent *netstack.Stack, port string, handle func(net.Conn)) {
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

// Echo sends back what it receives.
func Echo(c net.Conn) { io.Copy(c, c) }

// A Dial is the function under test: it connects the peer of a link to an address.
type Dial func(ctx context.Context, network, address string, ttl int) (net.Conn, error)

// To returns a connection that is closed at the end of the test and has Limit as its
// deadline.
func (d Dial) To(t testing.TB, network, address string, ttl int) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	c, err := d(ctx, network, address, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(Limit))
	return c
}

// Bulk sends 5 MB to the agent over TCP and checks that they come back unchanged.
func (d Dial) Bulk(t testing.TB, agent *netstack.Stack) {
	t.Helper()
	ServeTCP(t, agent, ":7", func(c net.Conn) {
		// One direction at a time: if the windows of two netstacks are closed in both
		// directions and packets are lost, they may get stuck.
		body, _ := io.ReadAll(c)
		c.Write(body)
	})
	body := make([]byte, 5_000_000)
	rand.NewChaCha8([32]byte{}).Read(body)
	c := d.To(t, "tcp", "10.77.0.2:7", 0)
	start := time.Now()
	go func() {
		io.Copy(c, bytes.NewReader(body))
		c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	hash := sha256.New()
	n, err := io.Copy(hash, c)
	if err != nil || [32]byte(hash.Sum(nil)) != sha256.Sum256(body) {
		t.Errorf("%d bytes came back or were changed: %v", n, err)
	}
	t.Logf("5 MB there and back in %v", time.Since(start))
}

// Datagrams sends datagrams of many sizes to the agent over IPv4 and IPv6, and checks
// that each comes back with its size. Then it calls more with each connection.
func (d Dial) Datagrams(t testing.TB, agent *netstack.Stack, ttl int, more func(to string, c net.Conn)) {
	t.Helper()
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
	for _, to := range []string{"10.77.0.2:7", "[2001:db8:77::2]:7"} {
		c := d.To(t, "udp", to, ttl)
		p := make([]byte, 65535)
		for _, size := range []int{0, 1, 1472, 9000} {
			if n, err := c.Write(p[:size]); n != size || err != nil {
				t.Fatalf("%s, %d bytes: Write returned %d, %v", to, size, n, err)
			}
			if n, err := c.Read(p); n != size || err != nil {
				t.Errorf("%s, %d bytes: Read returned %d, %v", to, size, n, err)
			}
		}
		more(to, c)
	}
}
