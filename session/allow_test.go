package session

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// On the host's network a packet stays inside the prefixes, and so does what
// the host would answer to it: its source has to be inside, too.
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
