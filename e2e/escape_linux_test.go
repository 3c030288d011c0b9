package e2e

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
)

// mark is in the data of every packet that the confinement tests write.
var mark = binary.BigEndian.AppendUint64([]byte("confined"), 0x1e57ed0c0ffee)

// An escape is a packet that tries to get out of the link.
type escape struct {
	src, dst netip.Addr
	via      netip.Addr // a hop of a source route; the zero Addr means none
	data     []byte
}

func (e escape) String() string { return fmt.Sprintf("%s > %s: %x", e.src, e.dst, e.data) }

// inside reports whether both ends, and the hop if there is one, are on the link.
func (e escape) inside() bool {
	return onLink(e.src) && onLink(e.dst) && (!e.via.IsValid() || onLink(e.via))
}

func onLink(a netip.Addr) bool {
	return netip.MustParsePrefix("10.77.0.0/24").Contains(a) || netip.MustParsePrefix("2001:db8:77::/64").Contains(a)
}

// hostAddresses is an environment variable with the addresses of the machine, for a
// test in another network namespace.
const hostAddresses = "TUN_MCP_TEST_ADDRESSES"

// ownAddresses returns the addresses of this network namespace and of the machine,
// separated by spaces.
func ownAddresses(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	own := []string{os.Getenv(hostAddresses)}
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			t.Fatal(err)
		}
		own = append(own, prefix.Addr().String())
	}
	return strings.Join(own, " ")
}

// escapes returns packets of every kind, to and from the host's own addresses, its
// neighbours, loopback, multicast, broadcast, other prefixes, and the link.
func escapes(t *testing.T) []escape {
	t.Helper()
	to := ownAddresses(t) +
		" 127.0.0.1 127.1.2.3 192.0.2.1 192.0.2.77 192.0.2.254 192.0.2.255 198.51.100.7 224.0.0.1 224.0.0.251 239.1.2.3 255.255.255.255 0.0.0.0 10.77.0.1 10.77.0.3 10.77.0.255 10.77.1.1 169.254.1.1" +
		" ::1 2001:db8:1::1 2001:db8:1::77 2001:db8:1::fe 2001:db8:2::7 ff02::1 ff02::2 ff05::2 ff0e::1 fe80::1 ::ffff:127.0.0.1 :: 2001:db8:77::1 2001:db8:77::3"
	from := ownAddresses(t) +
		" 10.77.0.2 10.77.0.1 127.0.0.1 192.0.2.1 192.0.2.77 198.51.100.7 224.0.0.1 255.255.255.255 0.0.0.0" +
		" 2001:db8:77::2 2001:db8:77::1 ::1 2001:db8:1::1 2001:db8:1::77 2001:db8:2::7 fe80::2 ff02::1 ::"
	var all []escape
	for _, src := range addresses(from) {
		for _, dst := range addresses(to) {
			if src.Is4() == dst.Is4() {
				all = append(all, kinds(t, src, dst)...)
			}
		}
	}
	return all
}

// addresses parses addresses and removes duplicates.
func addresses(text string) []netip.Addr {
	var all []netip.Addr
	for _, field := range strings.Fields(text) {
		if a := netip.MustParseAddr(field).WithZone(""); !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// kinds returns an echo request, a datagram and a SYN from src to dst. For IPv4 it adds
// an echo request with a loose source route to a neighbour of the host (RFC 791,
// section 3.1).
func kinds(t *testing.T, src, dst netip.Addr) []escape {
	t.Helper()
	echo, route := "0800 0000 0001 0001", ""
	if src.Is6() {
		echo = "8000 0000 0001 0001"
	}
	var via netip.Addr
	tcp := "3039 0050 00000001 00000000 5002 ffff 0000 0000"
	var all []escape
	for _, kind := range []struct{ protocol, rest string }{{"01", echo}, {"11", "3039 0009 0000 0000"}, {"06", tcp}, {"route", echo}} {
		if kind.protocol == "route" {
			if src.Is6() {
				continue
			}
			kind.protocol, route = "01", "830704 c000024d 00"
			via = netip.MustParseAddr("192.0.2.77")
		}
		if src.Is6() && kind.protocol == "01" {
			kind.protocol = "3a"
		}
		text := fmt.Sprintf("45000000 00010000 40%s0000 %x%x%s", kind.protocol, src.AsSlice(), dst.AsSlice(), route)
		if route != "" {
			text = "47" + text[2:]
		}
		if src.Is6() {
			text = fmt.Sprintf("60000000 0000%s40 %x%x", kind.protocol, src.AsSlice(), dst.AsSlice())
		}
		data, err := packet.ParseHex(text + kind.rest + fmt.Sprintf("%x", mark))
		if err == nil {
			data, err = packet.Fix(data)
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, escape{src, dst, via, data})
	}
	return all
}

// writtenAlike matches a line for several packets, with their number and size.
var writtenAlike = regexp.MustCompile(`: (\d+) packets written, (\d+) bytes each`)

// writeEscapes writes packets with assist none and returns the server's answers.
func (c *client) writeEscapes(all []escape) []string {
	c.t.Helper()
	var said []string
	for some := range slices.Chunk(all, 64) {
		var packets []string
		for _, e := range some {
			packets = append(packets, fmt.Sprintf(`{"hex": "%x"}`, e.data))
		}
		text, _ := c.tool("write_packet", `{"assist": "none", "packets": [`+strings.Join(packets, ",")+`]}`)
		var lines []string
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			alike := 1
			if m := writtenAlike.FindStringSubmatch(line); m != nil {
				alike, _ = strconv.Atoi(m[1])
				line = m[2] + " bytes written"
			}
			lines = append(lines, slices.Repeat([]string{line}, alike)...)
		}
		if len(lines) < len(some) {
			c.t.Fatalf("%d packets gave %q", len(some), text)
		}
		said = append(said, lines[:len(some)]...)
	}
	return said
}
