package netstack_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/tun-mcp/tun-mcp/packet"
)

// named adds the sample packets of package packet: as they are, fixed, and fixed with
// one bit of the last byte flipped.
func named(f *testing.F) {
	files, err := filepath.Glob("../../packet/testdata/*.hex")
	if err != nil || len(files) < 30 {
		f.Fatalf("%d sample packets, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var digits strings.Builder
		for line := range strings.Lines(string(text)) {
			before, _, _ := strings.Cut(line, "#")
			digits.WriteString(before)
		}
		b, err := packet.ParseHex(digits.String())
		if err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		f.Add(b)
		if fixed, err := packet.Fix(b); err == nil {
			f.Add(fixed)
			damaged := bytes.Clone(fixed)
			damaged[len(damaged)-1] ^= 1
			f.Add(damaged)
		}
	}
}

// FuzzChecksums: gVisor's header package, which shares no code with ours, agrees on
// every checksum and accepts every packet from Fix.
func FuzzChecksums(f *testing.F) {
	named(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		compare(t, b, packet.Check(b))
		fixed, err := packet.Fix(b)
		if err != nil {
			return
		}
		compare(t, fixed, nil)
		// Both notice one wrong bit, or neither does.
		at := int(fixed[len(fixed)-1]) * len(fixed) / 256
		fixed[at] ^= 1 << (fixed[4] % 8)
		compare(t, fixed, packet.Check(fixed))
	})
}

// compare compares the faults that Check found in b with gVisor's verdicts.
func compare(t *testing.T, b []byte, faults []packet.Fault) {
	t.Helper()
	ours := sortOut(faults)
	if ours.damaged {
		return // without a parsed header there is no checksum to compare
	}
	// Check computes the right checksum for corrected lengths.
	c := bytes.Clone(b)
	var transport []byte
	var theirs verdict
	if c[0]>>4 == 4 {
		binary.BigEndian.PutUint16(c[2:], uint16(len(c)))
		h := header.IPv4(c)
		if !h.IsValid(len(c)) {
			t.Fatalf("gVisor refuses the IPv4 header of %x", c)
		}
		if ok := h.IsChecksumValid(); ok == ours.header {
			t.Errorf("IPv4 header checksum: ours %v, gVisor says ok: %v\n%x", faults, ok, c)
		}
		if h.More() || h.FragmentOffset() > 0 {
			theirs.fragment = true
		} else {
			transport = h.Payload()
			theirs = judge4(h, transport)
		}
	} else {
		binary.BigEndian.PutUint16(c[4:], uint16(len(c)-header.IPv6MinimumSize))
		h := header.IPv6(c)
		if !h.IsValid(len(c)) {
			t.Fatalf("gVisor refuses the IPv6 header of %x", c)
		}
		theirs = judge6(h)
	}
	switch {
	case theirs.unknown:
	case theirs.fragment && ours.transport:
		t.Errorf("ours finds a fault in a fragment: %v\n%x", faults, c)
	case theirs.fragment:
	case theirs.refused:
		t.Errorf("gVisor refuses the transport header, ours: %v\n%x", faults, c)
	case theirs.ok == ours.transport:
		t.Errorf("transport checksum: ours %v, gVisor says ok: %v\n%x", faults, theirs.ok, c)
	}
	// gVisor also accepts a checksum that Check says is right. Fix does no more than
	// that, and its packets come here without faults.
	if len(faults) == 0 && !bytes.Equal(b, c) {
		t.Errorf("no fault in a packet with a wrong length: %x", b)
	}
}

// said sums up the faults from Check: which checksums are wrong, and whether a header is
// damaged.
type said struct{ header, transport, damaged bool }

func sortOut(faults []packet.Fault) (s said) {
	for _, fault := range faults {
		switch {
		case fault.Field == "header checksum":
			s.header = true
		case fault.Field == "checksum":
			s.transport = true
		case strings.HasPrefix(fault.Field, "option "), fault.Field == "fragment payload length", fault.Field == "fragment end":
		case strings.HasSuffix(fault.Field, "length") && fault.Bound == packet.Exactly:
		default:
			s.damaged = true
		}
	}
	return s
}

// sum returns the ones' complement sum of a payload, in the form for gVisor's validators.
func sum(b []byte) func() uint16 {
	return func() uint16 { return checksum.Checksum(b, 0) }
}
