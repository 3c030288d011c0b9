package handler_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestExamplesAnswerDNS(t *testing.T) {
	h := start(t, "host.star", nil)
	resolver := net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return h.peer.DialContext(ctx, network[:3]+"4", net.JoinHostPort(agent4, "53"))
	}}
	for network, want := range map[string]string{"ip4": agent4, "ip6": agent6} {
		found, err := resolver.LookupNetIP(within(t), network, "Agent.TEST.")
		if err != nil || len(found) != 1 || found[0] != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, %v, want %s", network, found, err, want)
		}
	}
	for _, name := range []string{"agent.test.", "test.", "other.test."} { // names without a mail server, and an unknown name
		found, err := resolver.LookupMX(within(t), name)
		var missing *net.DNSError
		if !errors.As(err, &missing) || !missing.IsNotFound {
			t.Errorf("the mail server of %s: %v, %v", name, found, err)
		}
	}
	// Names outside test are refused, and not with authority.
	c := h.dial("udp4", agent4, "53")
	for _, name := range []string{"\x07example\x03com\x00", "\x06latest\x00", "\x00"} {
		got := make([]byte, 512)
		_, err := c.Write([]byte("\x00\x4d\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name + "\x00\x01\x00\x01"))
		if n, err2 := c.Read(got); err != nil || err2 != nil || n != 12+len(name)+4 || got[2] != 0x81 || got[3] != 5 {
			t.Errorf("%q: %x, %v, %v; want a refusal", name, got[:n], err, err2)
		}
	}
	// An incomplete header, a response, no question, half a name. Only the last two are
	// queries, with a format error.
	for _, odd := range []string{"00", "000081000001000000000000", "000001000000000000000000", "0000010000010000000000000561"} {
		query, err := hex.DecodeString(odd)
		if err == nil {
			_, err = c.Write(query)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		got := make([]byte, 512)
		if n, err := c.Read(got); err != nil || n != 12 || got[2]&0x80 == 0 || got[3]&15 != 1 {
			t.Errorf("%x, %v; want a format error", got[:n], err)
		}
	}
}
