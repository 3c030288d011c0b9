package packet

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// built returns the packet in hex, with lengths and checksums filled in if
// possible.
func built(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	if fixed, err := Fix(b); err == nil {
		return fixed
	}
	return b
}

// Parts of the packets below, without lengths and checksums.
const (
	ip4        = "4500 0000 0001 0000 40%s 0000 0a4d 0002 0a4d 0001 "
	ip6        = "6000 0000 0000 %sff 20010db8007700000000000000000002 20010db8007700000000000000000001 "
	outside4   = "4500 0054 0001 4000 4011 0000 0a4d 0001 0808 0808 0000 0000 0000 0000 "
	outside6   = "6000 0000 0008 1140 20010db8007700000000000000000001 20010db8999900000000000000000009 0000 0000 0000 0000 "
	prefixInRA = "0304 40c0 ffff ffff ffff ffff 0000 0000 20010db8006600000000000000000000"
)

func TestBeyond(t *testing.T) {
	in4, in6 := func(proto string) string { return fmt.Sprintf(ip4, proto) }, func(next string) string { return fmt.Sprintf(ip6, next) }
	for name, test := range map[string]struct{ packet, want string }{
		"echo request":           {in4("01") + "0800 0000 0001 0001", ""},
		"ICMPv6 echo request":    {in6("3a") + "8000 0000 0001 0001", ""},
		"neighbor advertisement": {in6("3a") + "8800 0000 6000 0000 20010db8007700000000000000000002", ""},
		"TCP":                    {in4("06") + "03e8 0050 0000 0001 0000 0000 5002 ffff 0000 0000", ""},
		"a later fragment":       {"4500 0000 0001 0001 4001 0000 0a4d 0002 0a4d 0001 0304 0000 0000 0000", ""},
		"a fragmented echo":      {"4500 0000 0001 2000 4001 0000 0a4d 0002 0a4d 0001 0800 0000 0001 0001", ""},

		"redirect":                 {in4("01") + "0501 0000 0a4d 0002 " + outside4, "ICMP type 5 (redirect) changes the routes of its receiver"},
		"IPv4 router solicitation": {in4("01") + "0a00 0000 0000 0000", "ICMP type 10 (router solicitation) changes the routes"},
		"IPv4 router advertisement": {in4("01") + "0900 0000 0102 0708 0a4d 0002 0000 0000",
			"ICMP type 9 (router advertisement) changes the routes"},
		"router advertisement": {in6("3a") + "8600 0000 4000 0708 0000 0000 0000 0000 " + prefixInRA, "ICMPv6 type 134 (router advertisement) changes the routes"},
		"router advertisement after options": {in6("3c") + "3a00 0104 0000 0000 8600 0000 4000 0708 0000 0000 0000 0000",
			"ICMPv6 type 134 (router advertisement) changes"},
		"router solicitation":                   {in6("3a") + "8500 0000 0000 0000", "ICMPv6 type 133 (router solicitation) changes"},
		"ICMPv6 redirect":                       {in6("3a") + "8900 0000 0000 0000" + strings.Repeat("20010db8007700000000000000000002", 2), "ICMPv6 type 137 (redirect) changes"},
		"a fragmented router advertisement":     {in6("2c") + "3a00 0001 0000 0001 8600 0000 4000 0708", "ICMPv6 type 134 (router advertisement) changes"},
		"a fragment that hides the message":     {in6("2c") + "3c00 0001 0000 0001 3a00 0104 0000 0000", "the first fragment does not show which ICMPv6 message it is"},
		"a fragment within a fragment":          {in6("2c") + "2c00 0001 0000 0001 3a00 0001 0000 0002 8600 0000 4000 0708", "a fragment within a fragment"},
		"more extension headers than are known": {in6("3c") + strings.Repeat("3c00 0104 0000 0000", 8) + "3a00 0104 0000 0000 8600 0000 4000 0708 0000 0000 0000 0000", "the extension headers cannot be followed"},

		"unreachable":                    {in4("01") + "0303 0000 0000 0000 " + outside4, "the source quoted by ICMP type 3 10.77.0.1, the destination quoted by ICMP type 3 8.8.8.8"},
		"fragmentation needed":           {in4("01") + "0304 0000 0000 0044 " + outside4, "the destination quoted by ICMP type 3 8.8.8.8"},
		"source quench":                  {in4("01") + "0400 0000 0000 0000 " + outside4, "the destination quoted by ICMP type 4 8.8.8.8"},
		"time exceeded":                  {in4("01") + "0b00 0000 0000 0000 " + outside4, "the destination quoted by ICMP type 11 8.8.8.8"},
		"parameter problem":              {in4("01") + "0c00 0000 0000 0000 " + outside4, "the destination quoted by ICMP type 12 8.8.8.8"},
		"a quote of version 0":           {in4("01") + "0304 0000 0000 0044 05" + outside4[2:], "the destination quoted by ICMP type 3 8.8.8.8"},
		"a fragment of an ICMP error":    {"4500 0000 0001 2000 4001 0000 0a4d 0002 0a4d 0001 0304 0000 0000 0044", "ICMP type 3 in fragments does not show which packet it quotes"},
		"a quote that is cut off":        {in4("01") + "0304 0000 0000 0044 4500 0054", "ICMP type 3 quotes 4 bytes, not a whole IP header (20)"},
		"packet too big":                 {in6("3a") + "0200 0000 0000 0500 " + outside6, "the destination quoted by ICMPv6 type 2 2001:db8:9999::9"},
		"destination unreachable":        {in6("3a") + "0104 0000 0000 0000 " + outside6, "the destination quoted by ICMPv6 type 1 2001:db8:9999::9"},
		"an ICMPv6 error of an odd type": {in6("3a") + "6400 0000 0000 0000 " + outside6, "the destination quoted by ICMPv6 type 100 2001:db8:9999::9"},
		"a fragment of packet too big":   {in6("2c") + "3a00 0001 0000 0001 0200 0000 0000 0500", "ICMPv6 type 2 in fragments"},

		"loose source route":       {"4700 0000 0001 0000 4001 0000 0a4d 0002 0a4d 0001 8307 0408 0808 0800 0800 0000 0001 0001", "the hop of the source route 8.8.8.8"},
		"a source route used up":   {"4700 0000 0001 0000 4001 0000 0a4d 0002 0a4d 0001 8907 0808 0808 0800 0800 0000 0001 0001", "the hop of the source route 8.8.8.8"},
		"routing header":           {in6("2b") + "3a02 0001 0000 0000 20010db8999900000000000000000009 8000 0000 0001 0001", "the hop of the routing header 2001:db8:9999::9"},
		"a compressed one":         {in6("2b") + "3a00 0301 0000 0000 8000 0000 0001 0001", "the routing header of type 3 cannot be followed"},
		"home address":             {in6("3c") + "3a02 0102 0000 c910 20010db8999900000000000000000009 8000 0000 0001 0001", "the home address 2001:db8:9999::9"},
		"IPv4 inside IPv4":         {in4("04") + outside4, "the source of the packet inside 10.77.0.1, the destination of the packet inside 8.8.8.8"},
		"IPv6 inside IPv4":         {in4("29") + outside6, "the destination of the packet inside 2001:db8:9999::9"},
		"a redirect inside":        {in4("04") + in4("01") + "0501 0000 0a4d 0002 " + outside4, "ICMP type 5 (redirect) changes the routes"},
		"packets inside, too many": {strings.Repeat(in4("04"), 6), "the packets inside it cannot be followed"},
		"packets inside fragments": {"4500 0000 0001 2000 4004 0000 0a4d 0002 0a4d 0001 4500 0000 0000 0000", "the packets inside it cannot be followed"},

		"later fragment, source route":      {"4700 0000 0001 0001 4011 0000 0a4d 0002 0a4d 0001 8307 0408 0808 0800 0000 0000 0000 0000", "the hop of the source route 8.8.8.8"},
		"later fragment, routing header":    {in6("2b") + "2c02 0201 0000 0000 20010db8999900000000000000000009 3a00 0008 0000 0001 0000 0000 0000 0000", "the hop of the routing header 2001:db8:9999::9"},
		"later fragment, routing type 0":    {in6("2b") + "2c02 0001 0000 0000 20010db8999900000000000000000009 3a00 0008 0000 0001 0000 0000 0000 0000", "the hop of the routing header 2001:db8:9999::9"},
		"later fragment, compressed route":  {in6("2b") + "2c00 0301 0000 0000 3a00 0008 0000 0001 0000 0000 0000 0000", "the routing header of type 3 cannot be followed"},
		"later fragment, home address":      {in6("3c") + "2c02 0102 0000 c910 20010db8999900000000000000000009 3a00 0008 0000 0001 0000 0000 0000 0000", "the home address 2001:db8:9999::9"},
		"later fragment of IPv4 in IPv4":    {"4500 0000 0001 0001 4004 0000 0a4d 0002 0a4d 0001 4500 0000 0000 0000", ""},
		"later fragment, routing behind it": {in6("2c") + "2b00 0008 0000 0001 3a02 0201 0000 0000 20010db8999900000000000000000009", ""},
	} {
		t.Run(name, func(t *testing.T) {
			mentions, err := Beyond(built(t, test.packet))
			got := ""
			for i, m := range mentions {
				if i > 0 {
					got += ", "
				}
				got += m.What + " " + m.Addr.String()
			}
			if err != nil {
				got += err.Error()
			}
			if !strings.Contains(got, test.want) || test.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
