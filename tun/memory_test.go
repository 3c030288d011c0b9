package tun_test

import (
	"errors"
	"net/netip"
	"os"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
)

func TestMemory(t *testing.T) {
	link, err := tun.Open(tun.Config{Network: "memory", MTU: 1400})
	if err != nil {
		t.Fatal(err)
	}
	if link.Network != "memory" || link.Why != "memory was requested" || link.Name != "tun0" || link.MTU != 1400 ||
		link.Addr != netip.MustParsePrefix("10.77.0.1/24") || link.Holder != 0 {
		t.Errorf("the link is %+v", link)
	}
	for range 2 {
		if err := link.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := link.Read(make([]byte, 65535)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read after Close returned %v, want os.ErrClosed", err)
	}
}
