package packet

import (
	"bytes"
	"testing"
)

// Glance shows little of a packet that is echoed, since the answer does not depend on its
// data, and much of one whose data must be summed or understood.
func TestGlance(t *testing.T) {
	udp := func(port, checksum byte) []byte {
		return append([]byte{0x45, 0, 1, 0x90, 0, 0, 0x40, 0, 64, 17, 0x64, 0xc2, 10, 77, 0, 1, 10, 77, 0, 2, 0xc0, 0, 0, port, 1, 0x7c, 0, checksum}, make([]byte, 372)...)
	}
	ping := func(bits ...byte) []byte {
		return append([]byte{0x45, 0, 1, 0x94, 0, 1, bits[0], bits[1], 64, 1, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2, 8, 0, 0, 0, 0, 7, 0, 1}, bytes.Repeat([]byte{1}, 376)...)
	}
	fixed := func(b []byte) []byte {
		t.Helper()
		fixed, err := Fix(b)
		if err != nil {
			t.Fatal(err)
		}
		return fixed
	}
	damaged := fixed(ping(0, 0))
	damaged[30] ^= 1
	none := fixed(udp(7, 0))
	none[26], none[27] = 0, 0
	for _, test := range []struct {
		name string
		b    []byte
		want int
	}{
		{"a ping", fixed(ping(0, 0)), 36},
		{"its first fragment", fixed(ping(0x20, 0)), 36},
		{"a later fragment", fixed(ping(0x20, 185)), 28},
		{"a damaged ping", damaged, 0},
		{"UDP echo", fixed(udp(7, 1)), 36},
		{"UDP echo without a checksum", none, 256},
		{"UDP to another port", fixed(udp(53, 1)), 256},
	} {
		if got := Glance(test.b); got != test.want {
			t.Errorf("%s: %d bytes, want %d: %s", test.name, got, test.want, Summary(test.b))
		}
	}
}

func TestDifferences(t *testing.T) {
	base := []byte{0x45, 0, 0, 84, 0x1a, 0x11, 0x40, 0, 7}
	for _, test := range []struct {
		b     []byte
		limit int
		want  string
		ok    bool
	}{
		{base, 9, "", true},
		{[]byte{0x46, 0, 0, 84, 0x1a, 0x11, 0x40, 0, 7}, 9, "0: 4600", true},
		{[]byte{0x46, 0, 0, 85, 0x1a, 0x11, 0x40, 0, 8}, 9, "0: 4600 0055 8: 08", true},
		{[]byte{0x45, 0, 0, 84, 0x1a, 0x12, 0x40, 0, 8}, 8, "4: 1a12", true},
		{[]byte{0x46, 1, 1, 85, 0x1b, 0x12, 0x41, 0, 8}, 9, "", false},
	} {
		if got, ok := Differences(test.b, base, test.limit, 3); got != test.want || ok != test.ok {
			t.Errorf("%x: %q, %v, want %q, %v", test.b, got, ok, test.want, test.ok)
		}
	}
}
