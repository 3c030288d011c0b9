package tun_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// newAgent runs a network stack as the agent until the test ends.
func newAgent(t *testing.T, link *tun.Link) *netstack.Stack {
	t.Helper()
	agent := tuntest.NewAgent(t, link)
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

// dial returns a connection with a deadline.
func dial(t *testing.T, link *tun.Link, network, address string, ttl int) net.Conn {
	t.Helper()
	return tuntest.Dial(link.DialContext).To(t, network, address, ttl)
}

func TestDialTCP(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		tuntest.ServeTCP(t, newAgent(t, link), ":7", tuntest.Echo)
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
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) { tuntest.Dial(link.DialContext).Bulk(t, newAgent(t, link)) })
}

func TestDialUDP(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		tuntest.Dial(link.DialContext).Datagrams(t, newAgent(t, link), 0, func(string, net.Conn) {})
	})
}

func TestDialTTL(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		for _, c := range []struct {
			network, address string
			ttl, want, at    int // at is the offset of the TTL in the IP header
		}{
			{"udp", "10.77.0.2:33434", 0, 64, 8},
			{"udp", "10.77.0.2:33434", 1, 1, 8},
			{"udp", "[2001:db8:77::2]:33434", 7, 7, 7},
			{"tcp", "10.77.0.2:80", 255, 255, 8},
			{"tcp", "[2001:db8:77::2]:80", 3, 3, 7},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { // nobody answers, so TCP sends only a SYN
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
