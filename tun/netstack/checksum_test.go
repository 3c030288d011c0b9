package netstack

import (
	"net"
	"testing"
	"time"
)

// The stack sends right checksums, and drops packets in which one bit of the checksum
// or of the data is wrong.
func TestChecksums(t *testing.T) {
	for name, p := range map[string][]byte{
		"ICMP":     echo(peer4.Addr(), agent4.Addr(), 1, 1, payload(55)),
		"UDP":      datagram(peer4.Addr(), agent4.Addr(), 9, 9, payload(55)),
		"TCP":      syn(peer4.Addr(), agent4.Addr(), 9, 9),
		"ICMPv6":   echo(peer6.Addr(), agent6.Addr(), 1, 1, payload(55)),
		"UDP/IPv6": datagram(peer6.Addr(), agent6.Addr(), 9, 9, payload(55)),
		"TCP/IPv6": syn(peer6.Addr(), agent6.Addr(), 9, 9),
	} {
		s := newAgent(t)
		at, protocol := transportOf(p)
		flips := map[string]int{"checksum": at + checksumAt[protocol], "last byte": len(p) - 1}
		if p[0]>>4 == 4 {
			flips["IPv4 checksum"] = 10
			flips["IPv4 type of service"] = 1
		}
		for what, i := range flips {
			wrong := append([]byte(nil), p...)
			wrong[i] ^= 0x10
			write(t, s, wrong)
			if n := s.link.NumQueued(); n != 0 {
				t.Errorf("%s with a wrong %s got the answer % x", name, what, read(t, s))
			}
		}
		write(t, s, p)
		if answer := read(t, s); !faultless(answer) {
			t.Errorf("%s: the answer has a wrong checksum: % x", name, answer)
		}
		if s.link.NumQueued() != 0 {
			t.Errorf("%s: a second answer: % x", name, read(t, s))
		}
	}
}

// A datagram or echo reply with a wrong checksum reaches no socket.
func TestWrongChecksumReachesNoSocket(t *testing.T) {
	s := newAgent(t)
	conn, err := s.ListenPacket("udp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	ping, err := s.ListenEcho("ip4", 1)
	if err != nil {
		t.Fatal(err)
	}
	reply := packet(peer4.Addr(), agent4.Addr(), 1, []byte{0, 0, 0, 0, 0, 1, 0, 2, 'x'})
	for _, p := range [][]byte{datagram(peer4.Addr(), agent4.Addr(), 9, 9, []byte("x")), reply} {
		wrong := append([]byte(nil), p...)
		wrong[len(wrong)-1] = 'y'
		write(t, s, wrong)
		write(t, s, p)
	}
	conn.SetDeadline(time.Now().Add(limit))
	buf := make([]byte, 10)
	if n, from, err := conn.ReadFrom(buf); err != nil || string(buf[:n]) != "x" || from.(*net.UDPAddr).Port != 9 {
		t.Errorf("datagram %q from %v, %v", buf[:n], from, err)
	}
	if m, err := ping.ReadFrom(withLimit(t)); err != nil || string(m.Data) != "x" || m.Seq != 2 {
		t.Errorf("%+v, %v", m, err)
	}
}
