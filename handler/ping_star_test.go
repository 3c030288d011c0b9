package handler

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// example loads a program of examples/handlers.
func example(t testing.TB, name string) *Handler {
	t.Helper()
	source, err := os.ReadFile("../examples/handlers/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return mustLoad(t, string(source), Options{Name: name, Fix: true})
}

// echoRequest returns an echo request with data bytes of data and a right checksum, to
// 10.77.0.2, or to 2001:db8:77::2 if six is set.
func echoRequest(t testing.TB, six bool, data int) []byte {
	t.Helper()
	head := unhex(t, "45000000 12340000 40010000 0a4d0001 0a4d0002")
	icmp := unhex(t, "08000000 00070001")
	if six {
		head = unhex(t, "60000000 00003a40 20010db8007700000000000000000001 20010db8007700000000000000000002")
		icmp[0] = 128
	}
	b := append(head, icmp...)
	for i := range data {
		b = append(b, byte(i*7))
	}
	b, err := packet.Fix(b)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cutUp returns the fragments of a packet, with size bytes of payload each, a multiple of 8.
func cutUp(t testing.TB, b []byte, size int) [][]byte {
	t.Helper()
	head := 20
	if b[0]>>4 == 6 {
		head = 40
	}
	var all [][]byte
	for off := 0; off < len(b)-head; off += size {
		end := min(off+size, len(b)-head)
		more := end < len(b)-head
		f := bytes.Clone(b[:head])
		if head == 20 {
			word := uint16(off / 8)
			if more {
				word |= 0x2000
			}
			binary.BigEndian.PutUint16(f[6:], word)
		} else {
			word := uint16(off)
			if more {
				word |= 1
			}
			f = append(f, 58, 0, 0, 0, 0, 0, 0, 9)
			f[6] = 44
			binary.BigEndian.PutUint16(f[42:], word)
		}
		f, err := packet.Fix(append(f, b[head+off:head+end]...))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// joined reassembles fragments, which must be in order.
func joined(t testing.TB, parts [][]byte) []byte {
	t.Helper()
	if len(parts) == 1 {
		return parts[0]
	}
	head, at := 20, 20
	if parts[0][0]>>4 == 6 {
		head, at = 40, 48
	}
	whole := bytes.Clone(parts[0][:head])
	for _, p := range parts {
		if faults := packet.Check(p); faults != nil {
			t.Errorf("a fragment: %v", faults)
		}
		whole = append(whole, p[at:]...)
	}
	if head == 20 {
		whole[6], whole[7] = 0, 0
		binary.BigEndian.PutUint16(whole[2:], uint16(len(whole)))
		whole[10], whole[11] = 0, 0
		binary.BigEndian.PutUint16(whole[10:], packet.Checksum(whole[:20]))
	} else {
		whole[6] = 58
		binary.BigEndian.PutUint16(whole[4:], uint16(len(whole)-40))
	}
	return whole
}

// Every request gets its reply, over IPv4 and IPv6, at all sizes, whole or in fragments, in
// any order and with duplicates.
func TestPingStar(t *testing.T) {
	for _, six := range []bool{false, true} {
		kind, mtu := 20, 1480
		if six {
			kind, mtu = 40, 1448
		}
		for _, data := range []int{0, 1, 56, 57, 1000, 1472, 1473, 3000, 8000, 30001, 65000} {
			request := echoRequest(t, six, data)
			want := bytes.Clone(request)
			if six {
				want[40] = 129
				copy(want[8:], request[24:40])
				copy(want[24:], request[8:24])
			} else {
				want[20] = 0
				copy(want[12:], request[16:20])
				copy(want[16:], request[12:16])
			}
			want, err := packet.Fix(want)
			if err != nil {
				t.Fatal(err)
			}
			sound := request
			parts := [][]byte{request}
			if len(sound)-kind > mtu {
				parts = cutUp(t, request, mtu)
			}
			for _, order := range []string{"forward", "backward", "twice"} {
				h := example(t, "ping.star")
				var answers [][]byte
				for i := range parts {
					part := parts[i]
					if order == "backward" {
						part = parts[len(parts)-1-i]
					}
					if order == "twice" && len(parts) > 1 && i < len(parts)-1 {
						if _, taken, err := h.Handle(part); err != nil || !taken {
							t.Fatalf("%v %v", taken, err)
						}
					}
					packets, taken, err := h.Handle(part)
					if err != nil || !taken {
						t.Fatalf("%d bytes, part %d, %s: %v, %v", data, i, order, taken, err)
					}
					answers = append(answers, packets...)
				}
				if len(answers) != len(parts) {
					t.Fatalf("%d bytes, six %v, %s: %d answers to %d parts", data, six, order, len(answers), len(parts))
				}
				if got := joined(t, answers); !bytes.Equal(got, want) {
					t.Errorf("%d bytes, six %v, %s: %s\nwant %s", data, six, order, packet.Summary(got), packet.Summary(want))
				}
			}
		}
	}
}

// Damaged requests and packets other than requests get no answer.
func TestPingStarIgnores(t *testing.T) {
	h := example(t, "ping.star")
	for _, six := range []bool{false, true} {
		request := echoRequest(t, six, 40)
		for i := range request {
			// No checksum covers the traffic class, flow label and hop limit of IPv6.
			if six && (i == 1 || i == 2 || i == 3 || i == 7) {
				continue
			}
			damaged := bytes.Clone(request)
			damaged[i] ^= 0x10
			if six && i == 0 {
				damaged[0] = 0x45
			}
			if packets, _, err := h.Handle(damaged); len(packets) > 0 || err != nil {
				t.Errorf("six %v, byte %d damaged: answered by %d, %v", six, i, len(packets), err)
			}
		}
		for n := range len(request) {
			if packets, _, err := h.Handle(request[:n]); len(packets) > 0 || err != nil {
				t.Errorf("cut to %d: %d packets, %v", n, len(packets), err)
			}
		}
	}
	for _, text := range []string{
		"4500001c 00010000 40110000 0a4d0001 0a4d0002 c0000007 00080000",
		"45000028 00010000 40060000 0a4d0001 0a4d0002 c0000050 00000001 00000000 50020000 00000000",
	} {
		b, err := packet.Fix(unhex(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if _, taken, err := h.Handle(b); taken || err != nil {
			t.Errorf("%s: %v, %v", packet.Summary(b), taken, err)
		}
	}
}

// Incomplete messages are dropped after a while, and many of them do not fill the handler's
// memory.
func TestPingStarForgets(t *testing.T) {
	h := example(t, "ping.star")
	parts := cutUp(t, echoRequest(t, false, 60000), 1480)
	for round := range 3 {
		for id := range 200 {
			for _, part := range parts[:len(parts)-1] {
				part = bytes.Clone(part)
				binary.BigEndian.PutUint16(part[4:], uint16(id))
				part, err := packet.Fix(part)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := h.Handle(part); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := h.state.Len(); n > 34 {
			t.Errorf("%d messages wait", n)
		}
		for i := range 400 {
			if _, err := h.Tick(time.Duration(round*400+i) * TickEvery); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.state.Len(); n != 1 {
			t.Errorf("%d messages still wait after 40 s", n-1)
		}
	}
}

func BenchmarkPingStar(b *testing.B) {
	h := example(b, "ping.star")
	request := echoRequest(b, false, 56)
	b.ReportAllocs()
	for b.Loop() {
		if packets, _, err := h.Handle(request); len(packets) != 1 || err != nil {
			b.Fatal(err)
		}
	}
}
