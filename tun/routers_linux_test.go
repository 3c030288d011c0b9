package tun_test

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// Packets with which the agent may try to become a router, and pings. Since the peer
// processes packets in order, a ping's answer shows that it has processed the others.
const (
	// fe80::2 is a default router for 1,800 s, 2001:db8:66::/64 is on the link and for addresses.
	advertisement = "6000000000303afffe80000000000000000000000000000220010db8007700000000000000000001860093f5400007080000000000000000030440c0ffffffffffffffff0000000020010db8006600000000000000000000"
	ping6         = "6000000000083a4020010db800770000000000000000000220010db80077000000000000000000018000235800010001"
)

// The peer accepts no default route, address or route from the agent, in any kernel
// network. (CVE-2020-13401 is about a host that did.)
func TestNoRouterIsBelieved(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	cfg := tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")}
	for name, open := range map[string]func() *tun.Link{
		"host":    func() *tun.Link { return openHost(t, cfg) },
		"private": func() *tun.Link { return tuntest.OpenPrivate(t, cfg) },
	} {
		t.Run(name, func(t *testing.T) {
			link := open()
			show := func() string {
				t.Helper()
				out := ""
				for _, args := range [][]string{{"ip", "-6", "route"}, {"ip", "-6", "addr"}} {
					argv, err := tun.ExecCommand(link.Network, link.Holder, args)
					if err != nil {
						t.Fatal(err)
					}
					out += command(t, argv)
				}
				return out
			}
			before := show()
			for _, text := range []string{advertisement, ping6} {
				b, err := hex.DecodeString(text)
				if err == nil {
					_, err = link.Write(b)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			read(t, link) // the answer to the ping
			if after := show(); after != before || strings.Contains(after, "default") {
				t.Errorf("routes and addresses were\n%sand are\n%s", before, after)
			}
		})
	}
}

// Redirects and source routes are off on the agent's link. For IPv4, both settings must
// be off.
func TestRedirectsAreOff(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	link := openHost(t, tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")})
	for _, setting := range []string{"ipv6/conf/NAME/accept_redirects", "ipv4/conf/NAME/accept_redirects", "ipv4/conf/NAME/accept_source_route"} {
		setting = "/proc/sys/net/" + strings.Replace(setting, "NAME", link.Name, 1)
		if value, err := os.ReadFile(setting); err != nil || string(value) != "0\n" {
			t.Errorf("%s is %q, %v", setting, value, err)
		}
	}
	private := tuntest.OpenPrivate(t, tun.Config{})
	argv, err := tun.ExecCommand(private.Network, private.Holder, []string{"cat", "/proc/sys/net/ipv4/conf/all/accept_redirects"})
	if err != nil {
		t.Fatal(err)
	}
	if got := command(t, argv); got != "0\n" {
		t.Errorf("on the private network all/accept_redirects is %q", got)
	}
}
