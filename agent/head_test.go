package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// limit bounds every wait, with room for a busy machine.
const limit = 30 * time.Second

// newLink connects a head directly to a peer's stack, without tools in between.
func newLink(t *testing.T) *netstack.Stack {
	t.Helper()
	peer, err := netstack.New(netstack.Config{Addr: netip.MustParsePrefix("10.77.0.1/24"), Addr6: netip.MustParsePrefix("2001:db8:77::1/64")})
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHead(session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2", Peer6: "2001:db8:77::1/64", Agent6: "2001:db8:77::2", MTU: 1500})
	if err != nil {
		t.Fatal(err)
	}
	toPeer, toHead := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(toPeer)
		for p := range h.sent {
			if _, err := peer.Write(p); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Errorf("writing to the peer: %v", err)
			}
		}
	}()
	go func() {
		defer close(toHead)
		buffer := make([]byte, longestPacket)
		for {
			n, err := peer.Read(buffer)
			if err != nil {
				return
			}
			h.receive(bytes.Clone(buffer[:n]))
		}
	}()
	t.Cleanup(func() {
		peer.Close()
		<-toHead
		h.close()
		<-toPeer
	})
	return peer
}

func dial(t *testing.T, peer *netstack.Stack, network, address string) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := peer.DialContext(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestHeadAnswersPing(t *testing.T) {
	peer := newLink(t)
	for network, agent := range map[string]string{"ip4": "10.77.0.2", "ip6": "2001:db8:77::2"} {
		c, err := peer.ListenEcho(network, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		for seq := range uint16(100) {
			want := bytes.Repeat([]byte{byte(seq)}, int(seq)*30) // the longest need two fragments
			if err := c.WriteTo(want, netip.MustParseAddr(agent), seq); err != nil {
				t.Fatal(err)
			}
			m, err := c.ReadFrom(ctx)
			if err != nil || !m.IsReply() || m.Seq != seq || !bytes.Equal(m.Data, want) {
				t.Fatalf("%s, seq %d: %+v, %v", network, seq, m, err)
			}
		}
	}
}

func TestHeadRefusesClosedPorts(t *testing.T) {
	peer := newLink(t)
	for _, agent := range []string{"10.77.0.2", "[2001:db8:77::2]"} {
		c := dial(t, peer, "udp", agent+":9")
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("UDP to %s: %v, want refused", agent, err)
		}
		if _, err := peer.DialContext(t.Context(), "tcp", agent+":9"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("TCP to %s: %v, want refused", agent, err)
		}
	}
}

func TestHeadEchoes(t *testing.T) {
	peer := newLink(t)
	for _, agent := range []string{"10.77.0.2:7", "[2001:db8:77::2]:7"} {
		for _, network := range []string{"udp", "tcp"} {
			c := dial(t, peer, network, agent)
			for _, want := range []string{"hello", "again"} {
				if _, err := io.WriteString(c, want); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(want))
				if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
					t.Errorf("%s %s: %q, %v", network, agent, got, err)
				}
			}
		}
	}
}

func TestHeadServesHTTP(t *testing.T) {
	peer := newLink(t)
	client := &http.Client{Timeout: limit, Transport: &http.Transport{DialContext: peer.DialContext}}
	defer client.CloseIdleConnections()
	get := func(path string) (int, []byte) {
		t.Helper()
		response, err := client.Get("http://10.77.0.2" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, body
	}
	if status, body := get("/"); status != 200 || !strings.Contains(string(body), "10.77.0.2") {
		t.Errorf("/: %d, %s", status, body)
	}
	status, body := get("/bytes?n=3000000")
	want := sha256.New()
	if _, err := io.Copy(want, Bytes(3000000)); err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(body); status != 200 || len(body) != 3000000 || !bytes.Equal(got[:], want.Sum(nil)) {
		t.Errorf("/bytes: %d, %d bytes, SHA-256 %x, want %x", status, len(body), got, want.Sum(nil))
	}
	// The bytes must never change, since others rely on the hash.
	const written = "e7af90ae92be0f45b61de88943a1fee2e42e21e964eb2f75ec22e74bd2585c5c"
	if status, body := get("/sha256?n=50000000"); status != 200 || string(body) != written+"\n" {
		t.Errorf("/sha256 of 50 MB: %d, %s, want %s", status, body, written)
	}
	for path, want := range map[string]int{"/bytes": 400, "/bytes?n=-1": 400, "/bytes?n=100000001": 400, "/sha256?n=x": 400, "/nowhere": 404} {
		if status, body := get(path); status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}
