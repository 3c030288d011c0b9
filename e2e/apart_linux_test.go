package e2e

import (
	"net/netip"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// inNamespace runs the calling test again in a new user and network namespace, and
// reports whether this is that run. The namespace is a host of its own, so packets that
// escape from a session get no further. Its way out is lan0, with the addresses
// 192.0.2.1 and 2001:db8:1::1 and a default route, which accepts every packet and loses
// it.
func inNamespace(t *testing.T) bool {
	t.Helper()
	tuntest.RequireProgram(t, "ip")
	if !tuntest.InNamespace(t, builtProgram+"="+program, hostAddresses+"="+ownAddresses(t)) {
		return false
	}
	lan, err := tun.Open(tun.Config{Network: tun.NetworkHost, Name: "lan0",
		Addr: netip.MustParsePrefix("192.0.2.1/24"), Addr6: netip.MustParsePrefix("2001:db8:1::1/64")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lan.Close() })
	tuntest.Run(t, "ip link set lo up", "ip route add default via 192.0.2.254", "ip route add default via 2001:db8:1::fe")
	return true
}
