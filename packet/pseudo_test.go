package packet

import (
	"strings"
	"testing"
)

// A UDP datagram may end before the packet does (RFC 768). The rest is the surplus
// area of RFC 9868 and not a fault. Linux accepts this packet, and tshark calls its
// checksum good.
func TestUDPSurplus(t *testing.T) {
	b := sample(t, "udp-surplus")
	if faults := Check(b); faults != nil {
		t.Errorf("faults: %v", faults)
	}
	if got, want := Summary(b), "IPv4 10.77.0.1:1000 > 10.77.0.2:7 UDP len 4 surplus 4, checksums ok"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if got := Dump(b, 0, true, false); !strings.Contains(got, "payload: bytes 28 to 31, 4 bytes\nsurplus area, after the UDP length (RFC 9868): bytes 32 to 35, 4 bytes\n") {
		t.Errorf("the dump does not name the surplus area:\n%s", got)
	}
	// The checksum covers the whole datagram, but not the surplus area.
	b[35] ^= 0xff
	if faults := Check(b); faults != nil {
		t.Errorf("with another surplus area: %v", faults)
	}
	b[31] ^= 0xff
	if faults := Check(b); len(faults) != 1 || faults[0].Field != "checksum" {
		t.Errorf("with another payload: %v", faults)
	}
	// A length below the header or beyond the packet is still a fault.
	for _, length := range []byte{0, 7, 17} {
		b := sample(t, "udp-surplus")
		b[25] = length
		if faults := Check(b); len(faults) == 0 || faults[0].Field != "length" {
			t.Errorf("a length of %d: %v", length, faults)
		}
	}
	// Fix leaves a right packet alone, and bytes that the agent appended become part
	// of the datagram.
	if fixed, err := Fix(sample(t, "udp-surplus")); err != nil || string(fixed) != string(sample(t, "udp-surplus")) {
		t.Errorf("fixed to %x, %v", fixed, err)
	}
	if fixed, err := Fix(append(sample(t, "udp-surplus"), "more"...)); err != nil || fixed[25] != 20 {
		t.Errorf("fixed to a length of %d, %v", fixed[25], err)
	}
}

// The pseudo-header has the addresses that the transport finally sees. tshark agrees
// with every verdict here.
func TestPseudoHeaderAddresses(t *testing.T) {
	for _, name := range []string{"ipv4-loose-source-route", "ipv6-routing-header", "ipv6-home-address"} {
		if faults := Check(sample(t, name)); faults != nil {
			t.Errorf("%s: %v", name, faults)
		}
	}
	// A source route that is used up, or does not fit, changes nothing.
	b := sample(t, "ipv4-loose-source-route")
	b[22], b[10] = 8, 0x43 // the pointer, and the checksum with it
	if faults := Check(b); len(faults) != 1 || faults[0].Want != 0x2284 {
		t.Errorf("used up: %v, want a checksum of 0x2284", faults)
	}
}
