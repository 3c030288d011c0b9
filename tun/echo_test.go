package tun_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestOpenEcho(t *testing.T) {
	link := tuntest.OpenMemory(t, tuntest.Both)
	for _, is6 := range []bool{false, true} {
		e, err := link.OpenEcho(is6)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Send([]byte("hello"), 7); err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 65535)
		n, err := link.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		p, to, want := p[:n], netip.Addr{}, link.Agent()
		if is6 {
			to, want = netip.AddrFrom16([16]byte(p[24:])), link.Agent6()
		} else {
			to = netip.AddrFrom4([4]byte(p[16:]))
		}
		if to != want || !strings.HasSuffix(string(p), "\x00\x07hello") {
			t.Errorf("to %s, % x; want an echo request to %s, seq 7", to, p, want)
		}
		e.Close()
		if _, err := e.Receive(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Receive after Close: %v", err)
		}
	}
}

func TestOpenEchoRefuses(t *testing.T) {
	link := &tun.Link{Device: tuntest.NewDevice(), Addr: netip.MustParsePrefix("10.77.0.1/24")}
	if _, err := link.OpenEcho(false); err == nil || !strings.Contains(err.Error(), "has none; use a private") {
		t.Errorf("a device without a peer: %v", err)
	}
	if _, err := tuntest.OpenMemory(t, tun.Config{}).OpenEcho(true); err == nil || !strings.Contains(err.Error(), "no ip6 address") {
		t.Errorf("without IPv6: %v", err)
	}
}
