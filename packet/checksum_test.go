package packet

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func random(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// These bytes are the example of RFC 1071 section 3; their sum is ddf2.
func TestChecksumOfRFC1071(t *testing.T) {
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := ^checksum(sum(b, 0)); got != 0xddf2 {
		t.Errorf("sum is 0x%04x, want 0xddf2", got)
	}
}

func TestSumMatchesOneWordAStep(t *testing.T) {
	for n := range 200 {
		b := random(uint64(n), n)
		if n%3 == 0 {
			for i := range b {
				b[i] = 0xff
			}
		}
		var slow uint32
		for i, c := range b {
			slow += uint32(c) << (8 * (1 - i%2))
		}
		for slow > 0xffff {
			slow = slow>>16 + slow&0xffff
		}
		if got := checksum(sum(b, 0)); got != ^uint16(slow) {
			t.Fatalf("%d bytes: checksum 0x%04x, want 0x%04x", n, got, ^uint16(slow))
		}
	}
}

func TestAgrees(t *testing.T) {
	for _, c := range []struct {
		given, want uint16
		ok          bool
	}{{1, 1, true}, {0xffff, 0, true}, {0, 0xffff, false}, {0, 0, true}, {1, 2, false}} {
		if agrees(c.given, c.want) != c.ok {
			t.Errorf("agrees(%#x, %#x) is not %v", c.given, c.want, c.ok)
		}
	}
}

// serialize builds a packet with gopacket, including lengths and checksums.
func serialize(t *testing.T, network gopacket.NetworkLayer, transport gopacket.SerializableLayer, payload []byte) []byte {
	t.Helper()
	if c, ok := transport.(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		if err := c.SetNetworkLayerForChecksum(network); err != nil {
			t.Fatal(err)
		}
	}
	buf := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, options, network.(gopacket.SerializableLayer), transport, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// zeroed returns a copy with zeros for the lengths and checksums that Fix fills in.
func zeroed(b []byte) []byte {
	c := append([]byte(nil), b...)
	v := parse(c)
	if v.version == 4 {
		copy(c[2:4], "\x00\x00")
		copy(c[10:12], "\x00\x00")
	} else {
		copy(c[4:6], "\x00\x00")
	}
	if _, _, at, ok := v.transportChecksum(); ok {
		copy(c[at:], "\x00\x00")
		if v.kind == kindUDP {
			copy(c[v.up+4:], "\x00\x00")
		}
	}
	return c
}

// Check accepts the lengths and checksums from gopacket, and Fix fills in the same.
func TestAgreementWithGopacket(t *testing.T) {
	for round := range uint64(300) {
		payload := random(round, int(round*7%1400))
		addresses := random(round+1000, 32)
		ip4 := func(p layers.IPProtocol) *layers.IPv4 {
			return &layers.IPv4{Version: 4, TTL: 64, Id: uint16(round), Protocol: p, SrcIP: net.IP(addresses[:4]), DstIP: net.IP(addresses[4:8])}
		}
		ip6 := func(p layers.IPProtocol) *layers.IPv6 {
			return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: p, SrcIP: net.IP(addresses[:16]), DstIP: net.IP(addresses[16:])}
		}
		udp := func() *layers.UDP { return &layers.UDP{SrcPort: layers.UDPPort(round), DstPort: 53} }
		tcp := func() *layers.TCP {
			return &layers.TCP{SrcPort: 1, DstPort: 2, Seq: uint32(round) << 20, ACK: true, Window: 9,
				Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 0xb4}}}}
		}
		packets := map[string][]byte{
			"IPv4 ICMP": serialize(t, ip4(1), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: uint16(round), Seq: 2}, payload),
			"IPv4 UDP":  serialize(t, ip4(17), udp(), payload),
			"IPv4 TCP":  serialize(t, ip4(6), tcp(), payload),
			"IPv6 ICMP": serialize(t, ip6(58), &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}, append([]byte{1, 2, 3, 4}, payload...)),
			"IPv6 UDP":  serialize(t, ip6(17), udp(), payload),
			"IPv6 TCP":  serialize(t, ip6(6), tcp(), payload),
		}
		for name, b := range packets {
			if faults := Check(b); faults != nil {
				t.Fatalf("%s with %d bytes: %v", name, len(payload), faults)
			}
			fixed, err := Fix(zeroed(b))
			if err != nil || string(fixed) != string(b) {
				t.Fatalf("%s with %d bytes: fixed to (%v)\n%swant\n%s", name, len(payload), err, Words(fixed, 64), Words(b, 64))
			}
		}
	}
}

// The rule that the guides teach: the checksum of an echo reply is the request's
// plus 0x0800 with end-around carry (RFC 1624), and swapping the addresses does not
// change the header checksum.
func TestEchoReplyRule(t *testing.T) {
	for round := range uint64(5000) {
		request := append(sample(t, "ping-request")[:28:28], random(round, int(round%100))...)
		binary.BigEndian.PutUint32(request[24:], uint32(round*2654435761))
		request, err := Fix(request)
		if err != nil {
			t.Fatal(err)
		}
		reply := append([]byte(nil), request...)
		copy(reply[12:16], request[16:20])
		copy(reply[16:20], request[12:16])
		reply[20] = 0
		rule := uint32(binary.BigEndian.Uint16(request[22:])) + 0x0800
		binary.BigEndian.PutUint16(reply[22:], uint16(rule+rule>>16))
		if faults := Check(reply); faults != nil {
			t.Fatalf("round %d: %v\n%s", round, faults, Words(reply, 128))
		}
	}
}

// If the checksum of a reply is 0x0000, the rule gives 0xffff. That is also zero,
// and every receiver accepts it.
func TestEchoReplyRuleAtZero(t *testing.T) {
	reply := sample(t, "ping-reply")
	reply = reply[:32]
	copy(reply[24:], []byte{0, 1, 0, 2, 0, 0, 0, 0})
	binary.BigEndian.PutUint16(reply[28:], 0xffff-3)
	fixed, err := Fix(reply)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", fixed[22:24]); got != "0000" {
		t.Fatalf("checksum is %s, want 0000", got)
	}
	fixed[22], fixed[23] = 0xff, 0xff
	if faults := Check(fixed); faults != nil {
		t.Errorf("0xffff in place of 0x0000: %v", faults)
	}
}
