package replay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// datagram returns a UDP datagram over IPv4 with n bytes of data.
func datagram(src, dst string, srcPort, dstPort byte, n int) []byte {
	b := append([]byte{0x45, 0, byte((28 + n) >> 8), byte(28 + n), 0, 1, 0, 0, 64, 17, 0, 0}, netip.MustParseAddr(src).AsSlice()...)
	b = append(append(b, netip.MustParseAddr(dst).AsSlice()...), 0, srcPort, 0, dstPort, byte((8+n)>>8), byte(8+n), 0, 0)
	b, err := packet.Fix(append(b, make([]byte, n)...))
	if err != nil {
		panic(err)
	}
	return b
}

// recorded returns a capture with one packet per second, all from the peer.
func recorded(packets ...[]byte) *packet.CaptureReader {
	file := packet.CaptureHeader("test")
	for i, b := range packets {
		file = packet.Captured{FromPeer: true, Time: time.Unix(1700000000+int64(i), 0), Data: b}.AppendTo(file)
	}
	return read(file)
}

func read(file []byte) *packet.CaptureReader {
	c, err := packet.NewCaptureReader(bytes.NewReader(file))
	if err != nil {
		panic(err)
	}
	return c
}

// noted is a link that records the packets sent and their times.
type noted struct {
	Link
	sent [][]byte
	at   []time.Duration
}

func newLink() *noted {
	n := &noted{Link: Link{Peer: netip.MustParseAddr("10.77.0.1"), Agent: netip.MustParseAddr("10.77.0.2"), MTU: 1500}}
	began := time.Now()
	n.Send = func(_ context.Context, data []byte) (int, error) {
		n.sent, n.at = append(n.sent, data), append(n.at, time.Since(began))
		return 10 + len(n.sent), nil
	}
	return n
}

// Only the end that spoke first is replayed, with the link's addresses and right checksums.
func TestReplayFirstSide(t *testing.T) {
	link := newLink()
	counts, err := Run(t.Context(), recorded(
		datagram("192.0.2.7", "192.0.2.9", 10, 53, 3),
		datagram("192.0.2.9", "192.0.2.7", 53, 10, 4), // the answer
		datagram("192.0.2.7", "192.0.2.9", 11, 53, 5), // another question
		datagram("192.0.2.9", "192.0.2.7", 20, 80, 6), // a question from the other end
		datagram("192.0.2.7", "192.0.2.9", 10, 53, 1473),
	), link.Link, Options{})
	if err != nil || counts.Sent != 3 || counts.Answers != 1 || counts.TooLong != 1 || counts.Frames != 5 || counts.First != 11 || counts.Last != 13 {
		t.Fatalf("%+v, %v", counts, err)
	}
	if counts.FirstBig != "frame 5 has 1501 bytes, but the MTU is 1500" {
		t.Error(counts.FirstBig)
	}
	for _, b := range link.sent {
		if s, d, _ := packet.Addresses(b); s != link.Peer || d != link.Agent || len(packet.Check(b)) > 0 {
			t.Errorf("%s > %s, faults %v", s, d, packet.Check(b))
		}
	}
}

// fragments cuts an IPv4 packet into two fragments, the first with n bytes of data.
func fragments(b []byte, id byte, n int) (first, later []byte) {
	for i, part := range [][]byte{b[20 : 20+n], b[20+n:]} {
		f := append(append([]byte(nil), b[:20]...), part...)
		f[2], f[3] = byte(len(f)>>8), byte(len(f))
		f[4], f[5] = 0, id
		f[6], f[7] = byte(0x20*(1-i)), byte(i*n/8) // more fragments, and the offset
		first, later = later, f
	}
	return first, later
}

// A later fragment is on the side of its first one, and a packet that the capture has cut
// off on that of its ports.
func TestReplayFirstSideOfParts(t *testing.T) {
	question, questionRest := fragments(datagram("192.0.2.7", "192.0.2.9", 10, 53, 100), 1, 64)
	answer, answerRest := fragments(datagram("192.0.2.9", "192.0.2.7", 53, 10, 100), 1, 64)
	other, otherRest := fragments(datagram("192.0.2.9", "192.0.2.7", 20, 80, 100), 2, 64) // a question from the other end
	cut := datagram("192.0.2.9", "192.0.2.7", 53, 10, 100)[:60]
	segment := append(append([]byte(nil), cut[:32]...), make([]byte, 28)...)
	segment[9], segment[32] = 6, 15<<4 // TCP, with options that are cut off
	talk := newConversations()
	if !talk.firstSide(datagram("192.0.2.7", "192.0.2.9", 10, 53, 3)) {
		t.Error("the first packet is an answer")
	}
	asked := append([]byte(nil), datagram("192.0.2.7", "192.0.2.9", 10, 53, 100)...)
	asked[9] = 6
	for _, p := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"an answer that is cut off", cut, false},
		{"an answer's first fragment", answer, false},
		{"an answer's later fragment", answerRest, false},
		{"the first fragment of a question from the other end", other, true},
		{"the later fragment of a question from the other end", otherRest, true},
		{"a question's first fragment", question, true},
		{"a question's later fragment", questionRest, true},
		{"a segment", asked, true},
		{"its answer, cut off in the options", segment, false},
	} {
		if got := talk.firstSide(p.b); got != p.want {
			t.Errorf("%s: the end that spoke first: %v, want %v", p.name, got, p.want)
		}
	}
}

func TestReplayKeepsTime(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		want    []time.Duration
	}{
		"as captured": {Options{Speed: 1}, []time.Duration{0, time.Second, 2 * time.Second}},
		"ten times":   {Options{Speed: 10}, []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond}},
		"at once":     {Options{}, []time.Duration{0, 0, 0}},
		"short gaps":  {Options{Speed: 1, Gap: 10 * time.Millisecond}, []time.Duration{0, 10 * time.Millisecond, 20 * time.Millisecond}},
		"two":         {Options{Speed: 1, Count: 2}, []time.Duration{0, time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link := newLink()
				d := datagram("192.0.2.7", "192.0.2.9", 10, 53, 3)
				if _, err := Run(t.Context(), recorded(d, d, d), link.Link, test.options); err != nil {
					t.Fatal(err)
				}
				if len(link.at) != len(test.want) {
					t.Fatalf("%d sent", len(link.at))
				}
				for i, at := range link.at {
					if at != test.want[i] {
						t.Errorf("packet %d after %v, want %v", i+1, at, test.want[i])
					}
				}
			})
		})
	}
}

func TestReplayEnds(t *testing.T) {
	d := datagram("192.0.2.7", "192.0.2.9", 10, 53, 3)
	six := append([]byte{0x60, 0, 0, 0, 0, 0, 59, 64}, make([]byte, 32)...)
	link := newLink()
	if counts, err := Run(t.Context(), recorded(six, d), link.Link, Options{}); err != nil || counts.NoIPv6 != 1 || counts.Sent != 1 {
		t.Errorf("IPv6 on a link without it: %+v, %v", counts, err)
	}
	file := packet.Captured{FromPeer: true, Data: d}.AppendTo(packet.CaptureHeader("test"))
	cut := append(bytes.Clone(file), file[len(file)-40:]...)
	if counts, err := Run(t.Context(), read(cut), link.Link, Options{}); err == nil || counts.Sent != 1 {
		t.Errorf("a damaged capture: %+v, %v", counts, err)
	}
	if _, err := Run(t.Context(), read(file[:len(file)-3]), link.Link, Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a truncated capture: %v", err)
	}
	link.Send = func(context.Context, []byte) (int, error) { return 0, errors.New("the link has ended") }
	if _, err := Run(t.Context(), recorded(d), link.Link, Options{}); err == nil || !strings.Contains(err.Error(), "sending frame 1: the link has ended") {
		t.Errorf("an ended link: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if counts, err := Run(ctx, recorded(d, d), newLink().Link, Options{Speed: 1}); !errors.Is(err, context.DeadlineExceeded) || counts.Sent != 1 {
			t.Errorf("cancelled: %+v, %v", counts, err)
		}
	})
}

// Timestamps centuries apart, and speeds close to 0, overflow a time.Duration.
func TestReplayOfExtremeTimes(t *testing.T) {
	file := packet.CaptureHeader("test")
	for _, second := range []int64{0, 1, 18_446_744_072, 18_446_744_073} {
		file = packet.Captured{FromPeer: true, Time: time.Unix(second, 0), Data: datagram("192.0.2.7", "192.0.2.9", 10, 53, 3)}.AppendTo(file)
	}
	synctest.Test(t, func(t *testing.T) {
		link := newLink()
		if _, err := Run(t.Context(), read(file), link.Link, Options{Speed: 1, Gap: time.Second}); err != nil {
			t.Fatal(err)
		}
		for i, at := range link.at {
			if want := time.Duration(i) * time.Second; at.Round(time.Millisecond) != want {
				t.Errorf("packet %d after %v, want %v", i+1, at, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if counts, err := Run(ctx, read(file), link.Link, Options{Speed: 1e-300}); !errors.Is(err, context.DeadlineExceeded) || counts.Sent != 1 {
			t.Errorf("almost without speed: %+v, %v", counts, err)
		}
	})
}
