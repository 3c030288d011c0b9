package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

const limit = tuntest.Limit

// A dialled is a session whose agent is a network stack.
type dialled struct {
	session *session.Session
	control *Server
	client  *Client
	agent   *netstack.Stack
}

// onEach runs a test with a session on each network that needs no privileges.
func onEach(t *testing.T, test func(t *testing.T, d dialled)) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) { test(t, withAgent(t, link)) })
}

func withAgent(t *testing.T, link *tun.Link) dialled {
	t.Helper()
	var d dialled
	d.session, d.control, d.client = serving(t, link)
	d.agent = tuntest.NewAgent(t, link)
	var pumps sync.WaitGroup
	pumps.Go(func() {
		for {
			b, err := d.session.Read(context.Background(), session.ReadOptions{Timeout: time.Minute, Max: 64, Copies: true, Acks: true})
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

// dial connects. A deadline covers everything that follows.
func (d dialled) dial(t *testing.T, network, address string, ttl int) net.Conn {
	t.Helper()
	return tuntest.Dial(d.client.Dial).To(t, network, address, ttl)
}

func TestDialTCP(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		tuntest.ServeTCP(t, d.agent, ":7", tuntest.Echo)
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
	onEach(t, func(t *testing.T, d dialled) { tuntest.Dial(d.client.Dial).Bulk(t, d.agent) })
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
		tuntest.Dial(d.client.Dial).Datagrams(t, d.agent, 9, func(to string, c net.Conn) {
			if _, ok := c.(interface{ CloseWrite() error }); ok {
				t.Error("UDP has a CloseWrite")
			}
			p := make([]byte, packet.MaxLen)
			for i := range 3 { // queued datagrams stay separate
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
		})
	})
}

func TestDialTTL(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		_, events, stop := d.session.Watch(0)
		defer stop()
		d.dial(t, "udp", "10.77.0.2:33434", 1).Write([]byte("probe"))
		e := <-events
		for e.Event != session.EventPacket { // there are also events of the agent's reads
			e = <-events
		}
		if p, err := d.session.Packet(e.Number); err != nil || p.Data[8] != 1 {
			t.Errorf("the packet is %+v, %v, want TTL 1", p, err)
		}
	})
}
