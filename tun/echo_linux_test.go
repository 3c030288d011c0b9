package tun_test

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// An ICMP error about an echo request is received as a message and does not disturb
// later requests and replies.
func TestKernelEchoHearsErrors(t *testing.T) {
	link := tuntest.OpenPrivate(t, tuntest.Both)
	for _, is6 := range []bool{false, true} {
		agent, header, unreachable, reply := link.Agent(), 20, [2]uint8{3, 3}, uint8(0)
		if is6 {
			agent, header, unreachable, reply = link.Agent6(), 40, [2]uint8{1, 4}, uint8(129)
		}
		e, err := link.OpenEcho(is6)
		if err != nil {
			t.Fatal(err)
		}
		request := func(seq uint16) []byte {
			t.Helper()
			if err := e.Send([]byte("hello"), seq); err != nil {
				t.Fatalf("request %d: %v", seq, err)
			}
			p := make([]byte, tun.MaxMTU)
			n, err := link.Read(p)
			if err != nil || binary.BigEndian.Uint16(p[header+6:]) != seq {
				t.Fatalf("request %d on the link: % x, %v", seq, p[:n], err)
			}
			return p[:n]
		}
		write := func(p []byte) {
			t.Helper()
			if _, err := link.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		received := func(kind, code uint8, seq uint16) {
			t.Helper()
			m, err := e.Receive()
			if err != nil || m.Type != kind || m.Code != code || m.Seq != seq || m.From != agent || m.TTL != 64 || string(m.Data) != "hello" {
				t.Errorf("received %+v, %v; want type %d, code %d, seq %d from %s", m, err, kind, code, seq, agent)
			}
		}
		write(refusalOf(request(1)))
		received(unreachable[0], unreachable[1], 1)
		write(refusalOf(request(2))) // the next Send gets this error, or Receive
		third := request(3)
		received(unreachable[0], unreachable[1], 2)
		write(replyTo(third))
		received(reply, 0, 3)

		waiting := make(chan error)
		go func() {
			_, err := e.Receive()
			waiting <- err
		}()
		e.Close()
		if err := <-waiting; !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// replyTo returns the echo reply to an echo request.
func replyTo(request []byte) []byte {
	p := append([]byte(nil), request...)
	if p[0]>>4 == 4 {
		copy(p[12:], request[16:20])
		copy(p[16:], request[12:16])
		p[8], p[20] = 64, 0
		seal(p, 20)
		return p
	}
	copy(p[8:], request[24:40])
	copy(p[24:], request[8:24])
	p[7], p[40] = 64, 129
	seal(p, 40)
	return p
}

// refusalOf returns a port unreachable that quotes the whole packet.
func refusalOf(packet []byte) []byte {
	if packet[0]>>4 == 4 {
		p := append([]byte{0x45, 0, 0, byte(28 + len(packet)), 0, 0, 0, 0, 64, 1, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1, 3, 3, 0, 0, 0, 0, 0, 0}, packet...)
		seal(p, 20)
		return p
	}
	p := append([]byte{0x60, 0, 0, 0, 0, byte(8 + len(packet)), 58, 64}, packet[24:40]...)
	p = append(append(append(p, packet[8:24]...), 1, 4, 0, 0, 0, 0, 0, 0), packet...)
	seal(p, 40)
	return p
}

// seal fills in the checksums of a packet whose ICMP or ICMPv6 message starts at header.
func seal(p []byte, header int) {
	var pseudo []byte
	if header == 20 {
		copy(p[10:], []byte{0, 0})
		binary.BigEndian.PutUint16(p[10:], checksum(p[:header]))
	} else {
		pseudo = append(append(pseudo, p[8:40]...), 0, 0, byte((len(p)-header)>>8), byte(len(p)-header), 0, 0, 0, 58)
	}
	copy(p[header+2:], []byte{0, 0})
	binary.BigEndian.PutUint16(p[header+2:], checksum(append(pseudo, p[header:]...)))
}

// checksum returns the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i, octet := range b {
		sum += uint32(octet) << (8 * (1 - i%2))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
