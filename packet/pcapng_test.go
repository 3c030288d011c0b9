package packet

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

func capture(packets ...Captured) []byte {
	file := CaptureHeader("tun-mcp test")
	for _, p := range packets {
		file = p.AppendTo(file)
	}
	return file
}

// frames reads a capture file with gopacket's reader. That does not return the
// options of packets; use options for them.
func frames(t testing.TB, file []byte) (all []Captured) {
	t.Helper()
	reader, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if reader.LinkType() != layers.LinkTypeRaw {
		t.Errorf("link type %v, want raw IP", reader.LinkType())
	}
	for {
		data, info, err := reader.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("frame %d: %v", len(all)+1, err)
		}
		on, err := reader.Interface(info.InterfaceIndex)
		if err != nil || info.Length != len(data) || on.TimestampResolution != 9 {
			t.Errorf("frame %d: %v, length %d of %d, %+v", len(all)+1, err, len(data), info.Length, on)
		}
		if on.Name != "peer" && on.Name != "agent" {
			t.Errorf("frame %d: interface %q", len(all)+1, on.Name)
		}
		all = append(all, Captured{FromPeer: on.Name == "peer", Time: info.Timestamp, Data: data})
	}
}

// options returns comment and flags of block, a packet of size bytes.
func options(t testing.TB, block []byte, size int) (comment string, flags uint32) {
	t.Helper()
	number := binary.LittleEndian.Uint32
	if len(block)%4 != 0 || number(block) != 6 || number(block[4:]) != uint32(len(block)) || number(block[len(block)-4:]) != uint32(len(block)) {
		t.Fatalf("damaged block: % x", block)
	}
	rest := block[28+(size+3)/4*4 : len(block)-4]
	for {
		code, length := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		value := rest[4 : 4+length]
		switch code {
		case 0:
			if len(rest) != 4 {
				t.Errorf("%d bytes follow the end of the options", len(rest)-4)
			}
			return comment, flags
		case 1:
			comment = string(value)
		case 2:
			flags = number(value)
		default:
			t.Errorf("option %d", code)
		}
		rest = rest[4+(length+3)/4*4:]
	}
}

var noon = time.Date(2026, 11, 14, 12, 0, 0, 123456789, time.UTC)

func TestCaptureGolden(t *testing.T) {
	file := capture(
		Captured{FromPeer: true, Time: noon, Data: sample(t, "ping-request")},
		Captured{Time: noon.Add(1840 * time.Millisecond), Data: sample(t, "ping-reply"), Comment: "#2 reply to #1, 1.84 s"},
		Captured{FromPeer: true, Time: noon.Add(2 * time.Second), Data: sample(t, "version-5"), Comment: "#3 injected"},
	)
	golden(t, "capture.golden", hex.Dump(file))
}

func TestCaptureRoundTrip(t *testing.T) {
	var want []Captured
	for i, name := range sampleNames(t) {
		want = append(want, Captured{FromPeer: i%3 != 0, Time: noon.Add(time.Duration(i)), Data: sample(t, name), Comment: name})
	}
	want = append(want, Captured{Time: noon, Data: make([]byte, MaxLen)}, Captured{FromPeer: true, Time: time.Unix(0, 0), Data: []byte{0x45}})
	got := frames(t, capture(want...))
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i, w := range want {
		if g := got[i]; g.FromPeer != w.FromPeer || !g.Time.Equal(w.Time) || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("frame %d: got %+v, want %+v", i+1, g, w)
		}
	}
}

func TestCaptureOptions(t *testing.T) {
	tests := []struct{ name, comment, want string }{
		{"none", "", ""},
		{"plain", "#8 reply to #7, 1.84 s", "#8 reply to #7, 1.84 s"},
		{"broken UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"NUL", "a\x00b", "a\uFFFDb"},
		{"cut", strings.Repeat("x", 5000), strings.Repeat("x", 4096)},
		{"cut inside a character", strings.Repeat("x", 4095) + "é", strings.Repeat("x", 4095) + "\uFFFD"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, fromPeer := range []bool{true, false} {
				wantFlags := uint32(2)
				if fromPeer {
					wantFlags = 1
				}
				block := Captured{FromPeer: fromPeer, Time: noon, Data: []byte{0x45}, Comment: test.comment}.AppendTo(nil)
				if comment, flags := options(t, block, 1); comment != test.want || flags != wantFlags {
					t.Errorf("comment %q, flags %d; want %q, %d", comment, flags, test.want, wantFlags)
				}
			}
		})
	}
}

func TestCaptureTimeBefore1970(t *testing.T) {
	for _, at := range []time.Time{{}, time.Unix(-1, 0)} {
		if got := frames(t, capture(Captured{Time: at, Data: []byte{0x45}})); !got[0].Time.Equal(time.Unix(0, 0)) {
			t.Errorf("%v became %v", at, got[0].Time)
		}
	}
}

func FuzzCapture(f *testing.F) {
	for i, name := range sampleNames(f) {
		f.Add(sample(f, name), name, "#1 reply to #2, 3 s", i%2 == 0, noon.UnixNano())
	}
	f.Add([]byte{}, "", "\x00\xff", true, int64(0))
	f.Fuzz(func(t *testing.T, data []byte, application, comment string, fromPeer bool, nanoseconds int64) {
		p := Captured{FromPeer: fromPeer, Time: time.Unix(0, max(nanoseconds, 0)), Data: data, Comment: comment}
		block := p.AppendTo(nil)
		got, flags := options(t, block, len(data))
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") || (got == "") != (comment == "") {
			t.Errorf("comment %q became %q", comment, got)
		}
		if utf8.ValidString(comment) && len(comment) <= maxComment && !strings.Contains(comment, "\x00") && got != comment {
			t.Errorf("comment %q became %q", comment, got)
		}
		if (flags == 1) != fromPeer {
			t.Errorf("flags %d", flags)
		}
		// Write the packet twice, since a wrong length would break the second one.
		file := append(append(CaptureHeader(application), block...), block...)
		all := frames(t, file)
		if len(all) != 2 {
			t.Fatalf("%d frames, want 2", len(all))
		}
		for _, g := range all {
			if g.FromPeer != fromPeer || !g.Time.Equal(p.Time) || !bytes.Equal(g.Data, data) {
				t.Errorf("got %+v, want %+v", g, p)
			}
		}
	})
}
