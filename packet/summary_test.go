package packet

import (
	"strings"
	"testing"
)

func TestSummaryOfOddInput(t *testing.T) {
	ping := sample(t, "ping-request")
	ping6 := sample(t, "ipv6-ping-request")
	for want, b := range map[string][]byte{
		"not an IP packet: it is empty":                                                                      nil,
		"not an IP packet: version 0":                                                                        {0},
		"not an IP packet: 12 bytes are shorter than an IPv4 header (20)":                                    ping[:12],
		"not an IP packet: 39 bytes are shorter than an IPv6 header (40)":                                    ping6[:39],
		"IPv4 10.77.0.1 > 10.77.0.2 total length is 84, the packet has 20 bytes":                             ping[:20],
		"IPv6 2001:db8:77::1 > 2001:db8:77::2 payload length is 64, the packet has 0 bytes after its header": ping6[:40],
	} {
		if got := Summary(b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A truncated transport header after an IP header that also has faults.
func TestSummaryOfDamage(t *testing.T) {
	b := sample(t, "ping-request")[:24]
	b[3] = 24
	want := "IPv4 10.77.0.1 > 10.77.0.2 ICMP size is 4, should be at least 8 (+1 more fault)"
	if got := Summary(b); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A long summary is cut before the verdict, which always stays.
func TestSummaryIsCut(t *testing.T) {
	b := sample(t, "ipv6-tcp-syn")
	for i := 8; i < 40; i++ {
		b[i] = 0xee
	}
	for _, i := range []int{44, 45, 46, 47, 48, 49, 50, 51, 53, 54} {
		b[i] = 0xff
	}
	got := Summary(b)
	if len(got) != maxSummary || !strings.Contains(got, "..., TCP checksum is 0x") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		icmpCodeName(kindICMP, 3, 0):    "net unreachable",
		icmpCodeName(kindICMP, 3, 10):   "host administratively prohibited",
		icmpCodeName(kindICMP, 3, 99):   "code 99",
		icmpCodeName(kindICMP, 5, 3):    "TOS and host",
		icmpCodeName(kindICMP, 11, 1):   "fragment reassembly time exceeded",
		icmpCodeName(kindICMP, 8, 0):    "",
		icmpCodeName(kindICMP, 77, 3):   "code 3",
		icmpCodeName(kindICMPv6, 1, 0):  "no route to destination",
		icmpCodeName(kindICMPv6, 4, 2):  "unrecognized IPv6 option",
		icmpTypeName(kindICMP, 77):      "type 77",
		icmpTypeName(kindICMP, 13):      "timestamp request",
		icmpTypeName(kindICMPv6, 134):   "router advertisement",
		tcpOptionName(3):                "window scale",
		tcpOptionName(4):                "SACK permitted",
		tcpOptionName(5):                "SACK",
		tcpOptionName(99):               "kind 99",
		tcpOptionName(34):               "fast open",
		protocolName(47):                "GRE",
		protocolName(253):               "",
		portName(kindTCP, 80):           "80 (http)",
		portName(kindUDP, 53204):        "53204",
		string(appendProtocol(nil, 94)): "94 (IPIP)",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
