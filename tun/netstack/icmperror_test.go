package netstack

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
)

// icmpError returns an ICMP error that quotes a packet.
func icmpError(from, to netip.Addr, typ, code byte, quoted []byte) []byte {
	protocol := byte(1)
	if from.Is6() {
		protocol = 58
	}
	return packet(from, to, protocol, append([]byte{typ, code, 0, 0, 0, 0, 0, 0}, quoted...))
}

func TestEchoErrors(t *testing.T) {
	router4, router6 := netip.MustParseAddr("10.77.0.254"), netip.MustParseAddr("2001:db8:77::fe")
	for _, test := range []struct {
		name, network string
		size          int
		to, from      netip.Addr
		typ, code     byte
	}{
		{"host unreachable", "ip4", 56, agent4.Addr(), agent4.Addr(), 3, 1},
		{"TTL exceeded", "ip4", 0, agent4.Addr(), router4, 11, 0},
		{"TTL exceeded, fragmented", "ip4", 3000, agent4.Addr(), router4, 11, 0},
		{"no route", "ip6", 56, agent6.Addr(), router6, 1, 0},
		{"hop limit exceeded, fragmented", "ip6", 3000, agent6.Addr(), router6, 3, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newPeer(t)
			c, err := s.ListenEcho(test.network, 99)
			if err != nil {
				t.Fatal(err)
			}
			other, err := s.ListenEcho(test.network, 98)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.SetTTL(3); err != nil {
				t.Fatal(err)
			}
			if err := c.WriteTo(payload(test.size), test.to, 5); err != nil {
				t.Fatal(err)
			}
			request := read(t, s)
			ttl, self := request[8], peer4.Addr()
			if test.network == "ip6" {
				ttl, self = request[7], peer6.Addr()
			}
			if ttl != 3 {
				t.Errorf("TTL %d, want 3", ttl)
			}
			answer := icmpError(test.from, self, test.typ, test.code, request[:min(len(request), 528)])

			wrong := append([]byte(nil), answer...)
			wrong[len(wrong)-1] ^= 1 // the checksum is wrong now
			write(t, s, wrong)
			write(t, s, answer)
			m, err := c.ReadFrom(withLimit(t))
			if err != nil {
				t.Fatal(err)
			}
			if m.IsReply() || m.Type != test.typ || m.Code != test.code || m.From != test.from || m.ID != 99 || m.Seq != 5 || m.TTL != 64 || m.Received.IsZero() {
				t.Errorf("%+v", m)
			}
			if len(m.Data) > test.size || (test.size > 0 && m.Data[len(m.Data)-1] != byte((len(m.Data)-1)%251)) {
				t.Errorf("%d bytes of data: % x", len(m.Data), m.Data)
			}
			if n := len(c.inbox.queue) + len(other.inbox.queue); n != 0 {
				t.Errorf("%d more messages", n)
			}
		})
	}
}

// A traceroute with UDP probes: they have the right TTL, and the router's errors arrive.
func TestTraceroute(t *testing.T) {
	s := newPeer(t)
	errs, err := s.ListenErrors()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := s.DialContext(withLimit(t), "udp", "10.77.0.2:33434")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ SetTTL(int) error }).SetTTL(1); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("probe")); err != nil {
		t.Fatal(err)
	}
	probe := read(t, s)
	if probe[8] != 1 {
		t.Errorf("TTL %d, want 1", probe[8])
	}
	router := netip.MustParseAddr("10.77.0.254")
	foreign := datagram(netip.MustParseAddr("10.77.0.9"), agent4.Addr(), 5, 6, nil)
	write(t, s, icmpError(router, peer4.Addr(), 11, 0, foreign)) // not ours
	write(t, s, icmpError(router, peer4.Addr(), 11, 0, probe))
	e, err := errs.ReadFrom(withLimit(t))
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(conn.LocalAddr().(*net.UDPAddr).Port)
	if e.From != router || e.Type != 11 || e.Protocol != 17 || e.Echo || e.Src != netip.AddrPortFrom(peer4.Addr(), port) || e.Dst.Port() != 33434 || string(e.Data) != "probe" {
		t.Errorf("%+v", e)
	}
	errs.Close()
	if _, err := errs.ReadFrom(context.Background()); err == nil {
		t.Error("ReadFrom after Close")
	}
}

// Parsing any packet does not panic, and a truncated error is not an error.
func FuzzParseICMPError(f *testing.F) {
	for _, a := range []struct{ self, other netip.Addr }{{peer4.Addr(), agent4.Addr()}, {peer6.Addr(), agent6.Addr()}} {
		typ := byte(3)
		if a.self.Is6() {
			typ = 1
		}
		whole := icmpError(a.other, a.self, typ, 0, echo(a.self, a.other, 1, 2, payload(56)))
		if _, ok := parseICMPError(whole); !ok {
			f.Fatal("a faultless error does not parse")
		}
		for n := range len(whole) {
			if _, ok := parseICMPError(whole[:n]); ok {
				f.Fatalf("%d of %d bytes parse as an error", n, len(whole))
			}
		}
		f.Add(whole)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		// Correct the checksums, or almost every input would be refused.
		if len(p) >= 28 && p[0] == 0x45 {
			binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
			p[6], p[7], p[9] = 0, 0, 1
			binary.BigEndian.PutUint16(p[10:], 0)
			binary.BigEndian.PutUint16(p[10:], sum(p[:20]))
			binary.BigEndian.PutUint16(p[22:], 0)
			binary.BigEndian.PutUint16(p[22:], sum(p[20:]))
		}
		parseICMPError(p)
	})
}
