package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// pcap returns a pcap file with frames one second apart.
func pcap(order binary.AppendByteOrder, magic, link uint32, fraction uint32, frames ...[]byte) []byte {
	out := order.AppendUint32(nil, magic)
	out = order.AppendUint16(order.AppendUint16(out, 2), 4) // version 2.4
	out = append(out, make([]byte, 8)...)
	out = order.AppendUint32(out, 65535)
	out = order.AppendUint32(out, link)
	for i, frame := range frames {
		out = order.AppendUint32(out, 1700000000+uint32(i))
		out = order.AppendUint32(out, fraction)
		out = order.AppendUint32(out, uint32(len(frame)))
		out = order.AppendUint32(out, uint32(len(frame)))
		out = append(out, frame...)
	}
	return out
}

// readAll reads a whole capture.
func readAll(file []byte) (packets []Captured, c *CaptureReader, err error) {
	if c, err = NewCaptureReader(bytes.NewReader(file)); err != nil {
		return nil, nil, err
	}
	for {
		p, err := c.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return packets, c, nil
		}
		if err != nil {
			return packets, c, err
		}
		packets = append(packets, p)
	}
}

func TestCaptureForms(t *testing.T) {
	ip := sample(t, "ipv4-options")
	padded := append(bytes.Clone(ip), make([]byte, 9)...)
	arp := append(make([]byte, 12), 8, 6, 0, 1)
	ether := append(append(make([]byte, 12), 8, 0), padded...)
	tagged := append(append(make([]byte, 12), 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0), ip...)
	cooked := append(append(make([]byte, 14), 8, 0), ip...)
	cooked2 := append(append([]byte{8, 0}, make([]byte, 18)...), ip...)
	loop := append([]byte{2, 0, 0, 0}, ip...)
	for name, test := range map[string]struct {
		file     []byte
		other    int
		fraction time.Duration
	}{
		"raw":                {pcap(binary.LittleEndian, 0xa1b2c3d4, 101, 5, ip), 0, 5 * time.Microsecond},
		"big endian":         {pcap(binary.BigEndian, 0xa1b2c3d4, 101, 5, ip), 0, 5 * time.Microsecond},
		"nanoseconds":        {pcap(binary.LittleEndian, 0xa1b23c4d, 101, 5, ip), 0, 5},
		"nanoseconds, big":   {pcap(binary.BigEndian, 0xa1b23c4d, 228, 5, ip), 0, 5},
		"Ethernet":           {pcap(binary.LittleEndian, 0xa1b2c3d4, 1, 0, arp, ether), 1, 0},
		"Ethernet with tags": {pcap(binary.LittleEndian, 0xa1b2c3d4, 1, 0, tagged, arp), 1, 0},
		"cooked":             {pcap(binary.LittleEndian, 0xa1b2c3d4, 113, 0, cooked), 0, 0},
		"cooked 2":           {pcap(binary.LittleEndian, 0xa1b2c3d4, 276, 0, cooked2), 0, 0},
		"loopback":           {pcap(binary.LittleEndian, 0xa1b2c3d4, 0, 0, loop), 0, 0},
		"recording":          {Captured{FromPeer: true, Time: time.Unix(1700000000, 5), Data: ip}.AppendTo(CaptureHeader("test")), 0, 5},
	} {
		packets, c, err := readAll(test.file)
		if err != nil || len(packets) != 1 || !bytes.Equal(packets[0].Data, ip) || c.Other() != test.other {
			t.Errorf("%s: %+v, %v; want %x", name, packets, err, ip)
			continue
		}
		if got := time.Duration(packets[0].Time.Nanosecond()); got != test.fraction {
			t.Errorf("%s: the fraction of the second is %v, want %v", name, got, test.fraction)
		}
	}
}

// A reader returns what AppendTo wrote, including directions and comments.
func TestCaptureOfRecording(t *testing.T) {
	file := CaptureHeader("test")
	var want []Captured
	for i, name := range sampleNames(t) {
		p := Captured{FromPeer: i%2 == 0, Time: time.Unix(1700000000, int64(i)).UTC(), Data: sample(t, name)}
		if i%3 == 0 {
			p.Comment = "answers #1"
		}
		file = p.AppendTo(file)
		if _, ok := unframe(p.Data, linkTypeRaw); ok {
			p.Data = trimPadding(p.Data)
			want = append(want, p)
		}
	}
	got, _, err := readAll(file)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d packets, want %d: %v", len(got), len(want), err)
	}
	for i, p := range got {
		if !bytes.Equal(p.Data, want[i].Data) || p.FromPeer != want[i].FromPeer || p.Comment != want[i].Comment || !p.Time.Equal(want[i].Time) {
			t.Errorf("%+v, want %+v", p, want[i])
		}
	}
}

func TestCaptureRefused(t *testing.T) {
	ip := sample(t, "ipv4-options")
	good := pcap(binary.LittleEndian, 0xa1b2c3d4, 101, 0, ip, ip)
	ng := Captured{FromPeer: true, Data: ip}.AppendTo(CaptureHeader("test"))
	long := pcap(binary.LittleEndian, 0xa1b2c3d4, 101, 0)
	long = append(long, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":                  {nil, "not a capture file"},
		"text":                   {[]byte("this is only text, nothing else"), "not a capture file"},
		"cut in its header":      {good[:20], "not a capture file"},
		"cut in a packet":        {good[:len(good)-3], "cut off after frame 1"},
		"cut in a record's head": {good[:len(good)-len(ip)-3], "cut off after frame 1"},
		"a frame of 4 GiB":       {long, "frame 1 has 4294967295 bytes"},
		"Wi-Fi":                  {pcap(binary.LittleEndian, 0xa1b2c3d4, 105, 0, ip), "its link type is 105; accepted: raw IP"},
		"pcapng cut in a block":  {ng[:len(ng)-5], "cut off after frame 0"},
		"pcapng, a huge block":   {append(bytes.Clone(ng), 6, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff), "a block after frame 1 is damaged"},
		"pcapng, no interface":   {append(CaptureHeader("")[:0:0], noInterface()...), "a block after frame 0 is damaged"},
	} {
		if _, _, err := readAll(test.file); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
}

// noInterface returns a section whose packet names an interface that does not exist.
func noInterface() []byte {
	out, at := beginBlock(nil, blockSection)
	out = append32(append32(out, 0x1a2b3c4d), 1)
	out = endBlock(binary.LittleEndian.AppendUint64(out, ^uint64(0)), at)
	return Captured{Data: []byte{0x45}}.AppendTo(out)
}

// Reading any file ends and returns only packets with an IP version.
func FuzzCaptureReader(f *testing.F) {
	ip := sample(f, "ipv4-options")
	f.Add(pcap(binary.BigEndian, 0xa1b23c4d, 1, 9, append(append(make([]byte, 12), 8, 0), ip...)))
	f.Add(pcap(binary.LittleEndian, 0xa1b2c3d4, 276, 9, ip))
	f.Add(Captured{Data: ip, Comment: "x"}.AppendTo(CaptureHeader("fuzz")))
	f.Add(noInterface())
	f.Fuzz(func(t *testing.T, file []byte) {
		packets, c, err := readAll(file)
		if err == nil && c.Frame() != len(packets)+c.Other() {
			t.Errorf("%d frames, but %d packets and %d others", c.Frame(), len(packets), c.Other())
		}
		for _, p := range packets {
			if v := p.Data[0] >> 4; v != 4 && v != 6 || len(p.Data) > maxFrame {
				t.Errorf("a packet of %d bytes has IP version %d", len(p.Data), v)
			}
		}
	})
}
