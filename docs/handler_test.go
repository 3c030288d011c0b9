package docs_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/packet"
)

// handlerGuide shows programs, where the other guides show calls.
const handlerGuide = "write-handler.md"

var (
	program   = regexp.MustCompile("(?ms)^```python\n(.*?)^```$")
	shownWhen = regexp.MustCompile(`(?m)^#\d+ \d+ bytes, waited .*\n((?:\d+: [0-9a-f ]+\n)+)`)
)

// shownPackets are the packets that the other guides show as read.
func shownPackets(t *testing.T) [][]byte {
	t.Helper()
	var all [][]byte
	for _, name := range guides {
		for _, found := range shownWhen.FindAllStringSubmatch(read(t, name), -1) {
			var digits strings.Builder
			for line := range strings.Lines(found[1]) {
				_, words, _ := strings.Cut(line, ": ")
				digits.WriteString(words)
			}
			data, err := packet.ParseHex(digits.String())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, data)
		}
	}
	return all
}

// TestHandlerPrograms runs every program of the guide on every packet that the
// other guides show, at every level of assist: each handles its kind, leaves the
// others alone, and what it sends is sound and goes back to the sender.
func TestHandlerPrograms(t *testing.T) {
	kinds := []struct{ answers, with string }{
		{"ICMP echo request", "ICMP echo reply"},
		{"10.77.0.2:7 UDP", "10.77.0.2:7 > 10.77.0.1:"},
	}
	programs := program.FindAllStringSubmatch(read(t, handlerGuide), -1)
	if len(programs) != len(kinds)+1 {
		t.Fatalf("%d programs, %d are known here", len(programs), len(kinds)+1)
	}
	programs = slices.Delete(programs, 1, 2) // the function unreachable
	for i, source := range programs {
		for _, fix := range []bool{false, true} {
			h, err := handler.Load(source[1], handler.Options{Fix: fix})
			if err != nil {
				t.Fatal(err)
			}
			answered := 0
			for _, data := range append(shownPackets(t), udpEcho(t)) {
				packets, taken, err := h.Handle(data)
				summary := packet.Summary(data)
				switch mine := strings.Contains(summary, kinds[i].answers) && strings.HasSuffix(summary, "checksums ok") && strings.Contains(summary, "> 10.77.0.2"); {
				case err != nil:
					t.Errorf("%s: %v", summary, err)
				case taken != mine:
					t.Errorf("program %d takes %v of: %s", i+1, taken, summary)
				case taken:
					answered++
					src, dst, _ := packet.Addresses(data)
					back, to, _ := packet.Addresses(packets[0])
					if got := packet.Summary(packets[0]); len(packets) != 1 || packet.Check(packets[0]) != nil || !strings.Contains(got, kinds[i].with) || back != dst || to != src {
						t.Errorf("%s\nis answered by\n%s", summary, got)
					}
				}
			}
			if answered == 0 {
				t.Errorf("program %d answers nothing that the guides show", i+1)
			}
			again := 0
			for ms := range 20 {
				packets, err := h.Tick(time.Duration(ms) * handler.TickEvery)
				if err != nil {
					t.Error(err)
				}
				again += len(packets)
			}
			if h.HasTick() && again != answered {
				t.Errorf("program %d sends %d again, it answered %d", i+1, again, answered)
			}
		}
	}
}

// udpEcho is a datagram to port 7.
func udpEcho(t *testing.T) []byte {
	t.Helper()
	data, err := packet.ParseHex("4500 0020 0102 4000 4011 0000 0a4d 0001 0a4d 0002 c000 0007 000c 0000 7465 7374")
	if err == nil {
		data, err = packet.Fix(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestHandlerGuideMakesANewPacket: the guide's function around an old packet, with
// the functions above it, answers a datagram as the guide to the host does.
func TestHandlerGuideMakesANewPacket(t *testing.T) {
	programs := program.FindAllStringSubmatch(read(t, handlerGuide), -1)
	_, functions, _ := strings.Cut(programs[0][1], "\n\n")
	source := "def handle(p):\n    return unreachable(p)\n\n" + functions + programs[1][1]
	for _, fix := range []bool{false, true} {
		h, err := handler.Load(source, handler.Options{Fix: fix})
		if err != nil {
			t.Fatal(err)
		}
		answered := 0
		for _, data := range shownPackets(t) {
			if !strings.HasPrefix(packet.Summary(data), "IPv4 10.77.0.1:") || !strings.Contains(packet.Summary(data), " UDP ") {
				continue
			}
			answered++
			packets, _, err := h.Handle(data)
			if err != nil || len(packets) != 1 {
				t.Fatalf("%v, %d packets", err, len(packets))
			}
			if got := packets[0]; packet.Check(got) != nil || !strings.Contains(packet.Summary(got), "10.77.0.2 > 10.77.0.1 ICMP destination unreachable, port unreachable") || !bytes.Equal(got[28:], data[:28]) {
				t.Errorf("%s\nis answered by\n%s", packet.Summary(data), packet.Summary(got))
			}
		}
		if answered == 0 {
			t.Error("the guides show no datagram")
		}
	}
}

// TestHandlerGuideChangesAChecksum: the guide's rule for a word that changes keeps the
// IP checksum right when the TTL changes.
func TestHandlerGuideChangesAChecksum(t *testing.T) {
	guide := read(t, handlerGuide)
	rule := regexp.MustCompile("checksum goes from `c` to\\s`([^`]+)`").FindStringSubmatch(guide)
	if rule == nil {
		t.Fatal("the guide has no rule")
	}
	_, functions, _ := strings.Cut(program.FindStringSubmatch(guide)[1], "\n\n")
	h, err := handler.Load("def handle(p):\n    a, c = p.u16(8), p.u16(10)\n    b = 0x2000 + (a & 0xff)\n    p.put16(8, b)\n    p.put16(10, "+rule[1]+")\n    return [p]\n\n"+functions, handler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, data := range shownPackets(t) {
		if data[0] != 0x45 || packet.Check(data) != nil {
			continue
		}
		changed++
		packets, _, err := h.Handle(data)
		if err != nil || len(packets) != 1 || packet.Check(packets[0]) != nil {
			t.Errorf("%v, %s", err, packet.Summary(packets[0]))
		}
	}
	if changed == 0 {
		t.Error("the guides show no packet to change")
	}
}

// TestHandlerGuideLeavesDamageAlone: the guide's first program passes on what a
// host must not answer.
func TestHandlerGuideLeavesDamageAlone(t *testing.T) {
	h, err := handler.Load(program.FindStringSubmatch(read(t, handlerGuide))[1], handler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	request, err := packet.ParseHex("4500 0021 64bb 4000 4001 0000 0a4d 0001 0a4d 0002 0800 0000 ac50 0001 0001 0203 04")
	if err != nil {
		t.Fatal(err)
	}
	if request, err = packet.Fix(request); err != nil {
		t.Fatal(err)
	}
	if _, taken, err := h.Handle(request); !taken || err != nil {
		t.Fatalf("an odd length: %v, %v", taken, err)
	}
	for i := range request {
		damaged := append([]byte(nil), request...)
		damaged[i] ^= 0x10
		if _, taken, err := h.Handle(damaged); taken || err != nil {
			t.Errorf("with byte %d damaged: %v, %v", i, taken, err)
		}
	}
	for _, addresses := range []string{"0a4d0001 0a4d0003", "0a4d0002 0a4d0002", "00000000 0a4d0002", "7f000001 0a4d0002", "e0000005 0a4d0002"} {
		data, err := packet.ParseHex(addresses)
		if err != nil {
			t.Fatal(err)
		}
		copy(request[12:20], data)
		fixed, err := packet.Fix(request)
		if err != nil {
			t.Fatal(err)
		}
		if _, taken, err := h.Handle(fixed); taken || err != nil {
			t.Errorf("from and to %s: %v, %v", addresses, taken, err)
		}
	}
}
