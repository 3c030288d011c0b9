package e2e

import (
	"bytes"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"
)

// A wire sees every packet on every interface of this network namespace, in and out, lo
// included.
type wire struct {
	t      *testing.T
	socket int
}

// watchWires starts watching.
func watchWires(t *testing.T) *wire {
	t.Helper()
	const all = 0x0300 // ETH_P_ALL in network byte order
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, all)
	if err != nil {
		t.Fatalf("open a packet socket: %v", err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	// As large as allowed: the kernel drops packets that do not fit into the buffer.
	if syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 16<<20) != nil {
		if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<20); err != nil {
			t.Fatal(err)
		}
	}
	timeout := syscall.NsecToTimeval(int64(patience))
	if err := syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &timeout); err != nil {
		t.Fatal(err)
	}
	return &wire{t: t, socket: socket}
}

// A sighting is a packet that was seen.
type sighting struct {
	device string // where
	data   []byte
}

func (s sighting) String() string { return fmt.Sprintf("%s: %x", s.device, s.data) }

// marked returns the tests' packets, and the answers that carry their data.
func marked(all []sighting, device string) (some []sighting) {
	for _, s := range all {
		if s.device == device && bytes.Contains(s.data, mark) {
			some = append(some, s)
		}
	}
	return some
}

// nameOf returns the device on which a frame was seen.
func nameOf(from syscall.Sockaddr) string {
	if link, ok := from.(*syscall.SockaddrLinklayer); ok {
		if device, err := net.InterfaceByIndex(link.Ifindex); err == nil {
			return device.Name
		}
	}
	return "a device that is gone"
}

// seen sends a datagram out of each interface of this host and reads packets until all
// of them have come by. So the watch works, and everything sent before has been seen.
// It returns all other packets except the kernel's own neighbour discovery.
func (w *wire) seen() []sighting {
	w.t.Helper()
	last := fmt.Sprintf("the last at %d", time.Now().UnixNano())
	var want [][]byte
	for _, to := range []string{"127.0.0.1:9", "192.0.2.77:9"} {
		conn, err := net.Dial("udp", to)
		if err != nil {
			w.t.Fatal(err)
		}
		text := last + " to " + to
		if _, err := conn.Write([]byte(text)); err != nil {
			w.t.Fatal(err)
		}
		conn.Close()
		want = append(want, []byte(text))
	}
	var others []sighting
	buffer := make([]byte, 65535)
	for missing := len(want); missing > 0; {
		n, from, err := syscall.Recvfrom(w.socket, buffer, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			w.t.Fatalf("the watch does not see what passes: %v", err)
		}
		frame := bytes.Clone(buffer[:n])
		own := false
		for i, text := range want {
			if text != nil && bytes.Contains(frame, text) {
				own = true
				// Packets on lo are seen twice, on their way out and in.
				if link, ok := from.(*syscall.SockaddrLinklayer); !ok || link.Pkttype == syscall.PACKET_OUTGOING {
					want[i] = nil
					missing--
				}
			}
		}
		if own || bytes.Contains(frame, []byte("the last at ")) || discovery(frame) {
			continue
		}
		others = append(others, sighting{nameOf(from), frame})
	}
	return others
}

// discovery reports whether a packet is one that a kernel sends by itself on an
// interface with IPv6: router and neighbour discovery, multicast listeners (RFC 4861,
// RFC 3810), without our mark.
func discovery(p []byte) bool {
	if len(p) < 48 || p[0]>>4 != 6 || bytes.Contains(p, mark) {
		return false
	}
	next, at := p[6], 40
	if next == 0 { // hop-by-hop options, with the router alert of RFC 3810
		next, at = p[40], 40+8+8*int(p[41])
	}
	return next == 58 && len(p) > at && (p[at] >= 133 && p[at] <= 136 || p[at] == 143)
}
