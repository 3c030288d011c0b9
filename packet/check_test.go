package packet

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestFaultString(t *testing.T) {
	for want, f := range map[string]Fault{
		"ICMP checksum is 0x3eb6, should be 0x3eb7":                    {"ICMP", "checksum", 22, 0x3eb6, 0x3eb7, Exactly},
		"IPv4 total length is 90, should be 84":                        {"IPv4", "total length", 2, 90, 84, Exactly},
		"IPv4 header length is 16, should be at least 20":              {"IPv4", "header length", 0, 16, 20, AtLeast},
		"TCP data offset is 60, should be at most 20":                  {"TCP", "data offset", 32, 60, 20, AtMost},
		"IPv4 fragment payload length is 9, should be a multiple of 8": {"IPv4", "fragment payload length", 20, 9, 8, MultipleOf},
		"IP version is 5, should be 4 or 6":                            {"IP", "version", 0, 5, 4, Exactly},
	} {
		if got := f.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Each change to a good packet causes these faults.
func TestCheckNamesEachFault(t *testing.T) {
	for _, c := range []struct {
		sample string
		change map[string]string
		want   string // what the faults are, joined by "; "
	}{
		{"ping-request", nil, ""},
		{"ping-request", map[string]string{"2": "005a"}, "IPv4 total length is 90, should be 84"},
		{"ping-request", map[string]string{"22": "0000"}, "ICMP checksum is 0x0000, should be 0x1802"},
		{"ping-request", map[string]string{"10": "0001", "22": "0000"}, "IPv4 header checksum is 0x0001, should be 0x0bfc; ICMP checksum is 0x0000, should be 0x1802"},
		{"ping-request", map[string]string{"0": "4f"}, "IPv4 header checksum is 0x0bfc"},
		{"udp-dns-query", map[string]string{"24": "0007"}, "UDP length is 7, should be 34"},
		{"udp-dns-query", map[string]string{"26": "0000"}, ""},
		{"udp-dns-query", map[string]string{"26": "0001"}, "UDP checksum is 0x0001, should be 0x"},
		{"tcp-pure-ack", map[string]string{"32": "f0"}, "TCP data offset is 60, should be at most 20"},
		{"tcp-syn-options", map[string]string{"41": "00"}, "TCP checksum is 0xcf68, should be 0xcf6c; TCP option 2 length is 0, should be at least 2"},
		{"ipv6-ping-request", map[string]string{"4": "0000"}, "IPv6 payload length is 0, should be 64"},
		{"ipv6-ping-request", map[string]string{"42": "0000"}, "ICMPv6 checksum is 0x0000, should be 0x"},
		{"ipv6-udp-zero-checksum", nil, "UDP checksum is 0x0000, should be 0x00b8"},
		{"ipv6-routing-header", map[string]string{"63": "08"}, "UDP checksum is 0x5f95, should be 0x5f96"},
		{"ipv6-mld-report", map[string]string{"43": "09"}, "IPv6 option 5 length is 9, should be at most 4"},
		{"ipv4-fragment-first", map[string]string{"40": "ffff", "26": "0001"}, ""},
		{"ipv4-fragment-last", map[string]string{"6": "20fb", "10": "0000"}, "IPv4 header checksum is 0x0000"},
	} {
		b, err := Patch(sample(t, c.sample), nil, c.change)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, fault := range Check(b) {
			texts = append(texts, fault.String())
		}
		got := strings.Join(texts, "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s %v: %s; want %q", c.sample, c.change, got, c.want)
		}
	}
}

func TestFragmentsThatDoNotFit(t *testing.T) {
	first := sample(t, "ipv4-fragment-first")
	if got := Check(first[:len(first)-1]); got[len(got)-1].Field != "fragment payload length" {
		t.Errorf("odd fragment: %v", got)
	}
	last := sample(t, "ipv4-fragment-last")
	binary.BigEndian.PutUint16(last[6:], 0x1fff)
	if got := Check(last); got[len(got)-1].Field != "fragment end" {
		t.Errorf("beyond 65535: %v", got)
	}
}

// All faults with an exact value can be corrected in one go, and the result is the
// same as that of Fix.
func TestFaultsCorrectedInOneGo(t *testing.T) {
	for _, name := range sampleNames(t) {
		b := sample(t, name)
		fixed, err := Fix(b)
		if err != nil {
			continue
		}
		for _, fault := range Check(b) {
			binary.BigEndian.PutUint16(b[fault.At:], uint16(fault.Want))
		}
		if faults := Check(b); faults != nil {
			t.Errorf("%s: faults left: %v", name, faults)
		}
		if string(b) != string(fixed) && name != "udp-no-checksum" {
			t.Errorf("%s: Fix differs\n%s%s", name, Words(b, 99), Words(fixed, 99))
		}
	}
}

func TestFix(t *testing.T) {
	for _, name := range sampleNames(t) {
		b := sample(t, name)
		before := string(b)
		fixed, err := Fix(b)
		if string(b) != before {
			t.Errorf("%s: Fix changed its argument", name)
		}
		unfixable := strings.Contains(name, "overrun") || strings.Contains(name, "short") || strings.Contains(name, "long") || name == "version-5"
		if (err != nil) != unfixable {
			t.Errorf("%s: error %v", name, err)
		}
		if err == nil && Check(fixed) != nil {
			t.Errorf("%s: %v", name, Check(fixed))
		}
	}
	if fixed, err := Fix(sample(t, "udp-no-checksum")); err != nil || string(fixed) != string(sample(t, "udp-dns-query")) {
		t.Errorf("Fix does not fill in the checksum of UDP over IPv4: %v", err)
	}
	for _, b := range [][]byte{nil, {0x45}, make([]byte, 70000), append([]byte{0x45}, make([]byte, 65535)...), append([]byte{0x60}, make([]byte, 65575)...)} {
		if _, err := Fix(b); err == nil {
			t.Errorf("Fix accepts %d bytes", len(b))
		}
	}
}

// A UDP checksum that comes out as 0 is sent as 0xffff (RFC 768).
func TestFixUDPChecksumZero(t *testing.T) {
	b := sample(t, "udp-dns-query")
	sumAt := len(b) - 2 // the payload's last word takes up the difference
	binary.BigEndian.PutUint16(b[sumAt:], 0)
	b, err := Fix(b)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint16(b[sumAt:], binary.BigEndian.Uint16(b[26:]))
	b, err = Fix(b)
	if err != nil || b[26] != 0xff || b[27] != 0xff {
		t.Errorf("checksum % x, error %v", b[26:28], err)
	}
}

func TestCarriable(t *testing.T) {
	ping := sample(t, "ping-request")
	for _, c := range []struct {
		b    []byte
		mtu  int
		want string
	}{
		{ping, 1500, ""},
		{ping, 84, ""},
		{nil, 1500, "the packet is empty"},
		{sample(t, "version-5"), 1500, "IP version is 5; accepted: 4 and 6"},
		{ping[:12], 1500, "12 bytes are shorter than an IPv4 header (20)"},
		{append([]byte{0x46}, ping[1:20]...), 1500, "20 bytes are shorter than the IPv4 header of 24 bytes that its IHL states"},
		{sample(t, "ipv6-ping-request")[:39], 1500, "39 bytes are shorter than an IPv6 header (40)"},
		{append(ping, make([]byte, 1501-84)...), 1500, "1501 bytes are over the link's MTU of 1500: send fragments"},
		{sample(t, "ping-reply-bad-icmp-checksum"), 1500, ""},
	} {
		got := ""
		if err := Carriable(c.b, c.mtu); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%d bytes: %q, want %q", len(c.b), got, c.want)
		}
	}
}

// It is a fault if the whole packet would be too long with this fragment, including
// headers (RFC 791 section 3.1, RFC 8200 section 4.5).
func TestFragmentEnd(t *testing.T) {
	for hex, want := range map[string]string{
		"45000000 00001ffc 40110000 0a4d0001 0a4d0002 00000000000000":                                                                              "", // 20 + 65,504 + 7
		"45000000 00001ffd 40110000 0a4d0001 0a4d0002 00000000000000":                                                                              "IPv4 fragment end is 65539, should be at most 65535",
		"60000000 0018 00 40 20010db8007700000000000000000001 20010db8007700000000000000000002 2c00010400000000 1100fff000001234 0000000000000000": "IPv6 fragment end is 65536, should be at most 65535",
		"60000000 0017 00 40 20010db8007700000000000000000001 20010db8007700000000000000000002 2c00010400000000 1100fff000001234 00000000000000":   "",
	} {
		b, err := ParseHex(hex)
		if err == nil {
			b, err = Fix(b)
		}
		got := ""
		if err != nil {
			got = err.Error()
		} else if faults := Check(b); len(faults) > 0 {
			got = faults[0].String()
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", hex, got, want)
		}
	}
}
