package packet

import (
	"bytes"
	"net/netip"
	"testing"
)

// With other addresses, a packet has the same faults as before.
func TestReaddress(t *testing.T) {
	peer4, agent4 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	peer6, agent6 := netip.MustParseAddr("2001:db8:1::1"), netip.MustParseAddr("2001:db8:1::2")
	for _, name := range sampleNames(t) {
		b := sample(t, name)
		src, dst, ok := Addresses(b)
		to := [2]netip.Addr{peer4, agent4}
		if src.Is6() {
			to = [2]netip.Addr{peer6, agent6}
		}
		before := bytes.Clone(b)
		moved, done := Readdress(b, to[0], to[1])
		if !bytes.Equal(b, before) {
			t.Fatalf("%s: Readdress changed its argument", name)
		}
		if !ok {
			if done {
				t.Errorf("%s: moved, though it has no addresses", name)
			}
			continue
		}
		if !done {
			t.Errorf("%s: not moved", name)
			continue
		}
		if s, d, _ := Addresses(moved); s != to[0] || d != to[1] {
			t.Errorf("%s: from %s to %s", name, s, d)
		}
		if was, is := len(Check(b)), len(Check(moved)); was != is {
			t.Errorf("%s: %d faults before, %d after: %v", name, was, is, Check(moved))
		}
		if back, _ := Readdress(moved, src, dst); len(Check(b)) == 0 && !bytes.Equal(back, b) && len(Check(back)) != 0 {
			t.Errorf("%s: moved there and back, %x became %x", name, b, back)
		}
	}
	if _, ok := Readdress([]byte{0x60}, peer4, agent4); ok {
		t.Error("an IPv6 packet got IPv4 addresses")
	}
}
