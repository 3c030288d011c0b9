package session

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// On the host's network, a packet's destination must be inside the allowed prefixes,
// and its source too, because the host would answer to it.
func TestAllow(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("2001:db8:77::/64")}
	inBubble(t, Config{Allow: allow}, func(t *testing.T, s *Session, d *tuntest.Device) {
		for _, test := range []struct{ src, dst, want string }{
			{"10.77.0.2", "10.77.0.1", ""},
			{"10.77.0.2", "198.51.100.255", ""},
			{"198.51.100.1", "10.77.0.255", ""},
			{"2001:db8:77::2", "2001:db8:77::1", ""},
			{"10.77.0.2", "10.77.1.0", "destination 10.77.1.0 is outside [198.51.100.0/24 10.77.0.0/24 2001:db8:77::/64]"},
			{"10.77.0.2", "127.0.0.1", "destination 127.0.0.1 is outside"},
			{"10.77.0.2", "255.255.255.255", "destination 255.255.255.255 is outside"},
			{"10.77.0.2", "224.0.0.1", "destination 224.0.0.1 is outside"},
			{"2001:db8:77::2", "ff02::1", "destination ff02::1 is outside"},
			{"2001:db8:77::2", "::ffff:10.77.0.1", "destination ::ffff:10.77.0.1 is outside"},
			{"192.0.2.1", "10.77.0.1", "source 192.0.2.1 is outside"},
			{"0.0.0.0", "10.77.0.1", "source 0.0.0.0 is outside"},
			{"fe80::1", "2001:db8:77::1", "source fe80::1 is outside"},
		} {
			b, _ := hex.DecodeString("45000014000000004001" + "0000")
			if netip.MustParseAddr(test.src).Is6() {
				b, _ = hex.DecodeString("6000000000003b40")
			}
			b = append(append(b, netip.MustParseAddr(test.src).AsSlice()...), netip.MustParseAddr(test.dst).AsSlice()...)
			_, err := s.Write(t.Context(), b, 0)
			if test.want == "" {
				if err != nil {
					t.Errorf("%s > %s: %v", test.src, test.dst, err)
				} else {
					<-d.ToPeer
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "--allow-dest CIDR") {
				t.Errorf("%s > %s: %v, want %q and the rule", test.src, test.dst, err, test.want)
			}
		}
		if len(d.ToPeer) > 0 {
			t.Error("the device got a refused packet")
		}
	})
}

// On the host's network, the same holds for the other addresses that a packet makes
// its receiver act on. On other networks every packet passes.
func TestAllowBeyond(t *testing.T) {
	const (
		head4    = "450000380001000040010000" + "0a4d0002" + "0a4d0001"
		head6    = "6000000000303aff" + "20010db8007700000000000000000002" + "20010db8007700000000000000000001"
		outside  = "450005dc0001400040110000" + "0a4d0001" + "08080808" + "0000000000000000"
		inside   = "450005dc0001400040110000" + "0a4d0001" + "0a4d0002" + "0000000000000000"
		outside6 = "6000000000081140" + "20010db8007700000000000000000001" + "20010db8999900000000000000000009" + "0000000000000000"
	)
	cases := []struct{ name, packet, want string }{
		{"fragmentation needed, inside", head4 + "0304000000000240" + inside, ""},
		{"fragmentation needed, outside", head4 + "0304000000000240" + outside, "the destination quoted by ICMP type 3, 8.8.8.8, is outside [10.77.0.0/24 2001:db8:77::/64]"},
		{"port unreachable, outside", head4 + "0303000000000000" + outside, "the destination quoted by ICMP type 3, 8.8.8.8, is outside"},
		{"packet too big, outside", head6 + "0200000000000500" + outside6, "the destination quoted by ICMPv6 type 2, 2001:db8:9999::9, is outside"},
		{"redirect", head4 + "050100000a4d0002" + inside, "ICMP type 5 (redirect) changes the routes of its receiver: this link is on the host's own network"},
		{"router advertisement", head6 + "86000000400007080000000000000000", "ICMPv6 type 134 (router advertisement) changes the routes of its receiver"},
		{"source route", "4700001c0001000040010000" + "0a4d0002" + "0a4d0001" + "8307040808080800", "the hop of the source route, 8.8.8.8, is outside"},
	}
	here := []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("2001:db8:77::/64")}
	for _, allow := range [][]netip.Prefix{here, nil} {
		inBubble(t, Config{Allow: allow}, func(t *testing.T, s *Session, d *tuntest.Device) {
			for _, test := range cases {
				b, err := hex.DecodeString(test.packet)
				if err != nil {
					t.Fatal(err)
				}
				_, err = s.Write(t.Context(), b, 0)
				switch {
				case allow == nil || test.want == "":
					if err != nil {
						t.Errorf("%s, allowed %v: %v", test.name, allow, err)
					} else {
						<-d.ToPeer
					}
				case err == nil || !strings.Contains(err.Error(), test.want):
					t.Errorf("%s: %v, want %q", test.name, err, test.want)
				}
			}
			if len(d.ToPeer) > 0 {
				t.Error("the device got a refused packet")
			}
		})
	}
	// Even if every address is allowed: this message has no address to check.
	inBubble(t, Config{Allow: []netip.Prefix{netip.MustParsePrefix("::/0"), netip.MustParsePrefix("0.0.0.0/0")}}, func(t *testing.T, s *Session, d *tuntest.Device) {
		b, _ := hex.DecodeString(head6 + "86000000400007080000000000000000")
		if _, err := s.Write(t.Context(), b, 0); err == nil {
			t.Error("a router advertisement was written")
		}
	})
}
