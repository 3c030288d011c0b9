package packet

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// seed adds the sample packets, and what is shorter than any.
func seed(f *testing.F) {
	for _, name := range sampleNames(f) {
		f.Add(sample(f, name))
	}
	f.Add([]byte{})
	f.Add([]byte{0x60})
}

func isPrintable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// FuzzSummaryDump: whatever the bytes, a summary is one line of printable text,
// a dump is lines of it, and its words pasted back as hex are the same packet.
func FuzzSummaryDump(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		if s := Summary(b); s == "" || len(s) > maxSummary || !isPrintable(s) {
			t.Errorf("summary of %d bytes: %q", len(s), s)
		}
		// The ASCII column is left out where the bytes stand alone.
		for _, text := range []string{Dump(b, 0, true, true), Dump(b, 0, false, false), Words(b, dumpBytes)} {
			checkDump(t, b, text)
		}
		FlowOf(b)
		AnswersTo(b)
		SegmentOf(b)
		Addresses(b)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
	})
}

// checkDump holds a text against the packet that it shows.
func checkDump(t *testing.T, b []byte, text string) {
	t.Helper()
	if text != "" && text[len(text)-1] != '\n' {
		t.Error("no newline at the end")
	}
	if !isPrintable(strings.ReplaceAll(text, "\n", "")) {
		t.Errorf("not printable: %q", text)
	}
	if again, err := ParseHex(pasted(text)); err != nil || !bytes.Equal(again, b[:min(len(b), dumpBytes)]) {
		t.Errorf("pasted back: %v\n%x, want\n%x", err, again, b)
	}
}

// A packet that is shown in part, of text that could be taken for its lines.
func TestDumpOfALongPacket(t *testing.T) {
	b := bytes.Repeat([]byte("\n45: 00\x1b[31m"), dumpBytes/10)
	for _, text := range []string{Dump(b, 0, true, true), Dump(b, 0, false, false), Words(b, dumpBytes)} {
		checkDump(t, b, text)
		if !strings.Contains(text, "\n+ ") {
			t.Error("what is left out is not said")
		}
	}
}

// pasted is what of a dump is words: neither their offsets nor the text beside
// them, nor what follows the last line of bytes.
func pasted(dump string) string {
	var words strings.Builder
	for line := range strings.Lines(dump) {
		offset, rest, ok := strings.Cut(strings.TrimLeft(line, " "), ": ")
		if !ok || strings.Trim(offset, "0123456789") != "" {
			break
		}
		words.WriteString(rest[:min(len(rest), len("4500 0054 1a11 4000 4001 0bfc 0a4d 0001"))] + "\n")
	}
	return words.String()
}

// FuzzCheckFix: Check finds nothing in what Fix has filled in, which changes no
// length, and nothing when done again.
func FuzzCheckFix(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		faults := Check(b)
		for _, fault := range faults {
			if fault.Layer == "" || fault.Field == "" || fault.At < 0 || fault.At > len(b) || !isPrintable(fault.String()) {
				t.Errorf("odd fault %+v", fault)
			}
		}
		fixed, err := Fix(b)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
		if err != nil {
			if len(faults) == 0 || !isPrintable(err.Error()) {
				t.Errorf("faults %v, and yet: %v", faults, err)
			}
			return
		}
		if faults := Check(fixed); len(faults) > 0 {
			t.Errorf("after Fix: %v", faults)
		}
		if len(fixed) != len(b) || len(faults) == 0 && !bytes.Equal(fixed, b) && !bothZeros(b, fixed) {
			t.Errorf("%x became %x, the faults were %v", b, fixed, faults)
		}
		again, err := Fix(fixed)
		if err != nil || !bytes.Equal(again, fixed) {
			t.Errorf("fixing again changes it: %v", err)
		}
		if _, ok := FlowOf(b); ok && Carriable(b, len(b)) != nil {
			t.Error("a packet that cannot be carried has a flow")
		}
	})
}

// bothZeros tells whether two packets differ only where one has 0xffff and the
// other 0 or, in place of no UDP checksum, a checksum.
func bothZeros(b, fixed []byte) bool {
	v := parse(b)
	_, _, at, judged := v.transportChecksum()
	for i := range b {
		if b[i] == fixed[i] || b[i] == 0xff && fixed[i] == 0 {
			continue
		}
		if !judged || v.kind != kindUDP || b[at] != 0 || b[at+1] != 0 || i != at && i != at+1 {
			return false
		}
	}
	return true
}

// FuzzPatch: hex is read as encoding/hex reads it without the white space, and
// a patch replaces the bytes that it names and no others.
func FuzzPatch(f *testing.F) {
	packet := []byte("0123456789")
	for _, s := range []string{"", "4500 0054", "4", "45 0", "0x45", "45\u00a000", "\xff", "4\t5", "45\v00\r\n", strings.Repeat("00", MaxLen+1)} {
		f.Add(packet, "0", s, "9", "43")
	}
	f.Add(packet, "1", "4142", "2", "43")
	f.Add(packet, "-1", "4142", "10", "43")
	f.Add(packet, "01", "41", "99999999999999999999", "43")
	f.Add(packet, "0", "4142434445464748494a", "0", "4142434445464748494a")
	f.Fuzz(func(t *testing.T, b []byte, at1, hex1, at2, hex2 string) {
		checkHex(t, hex1)
		before := bytes.Clone(b)
		pieces := map[string]string{at1: hex1, at2: hex2}
		c, err := Patch(b, pieces)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
		if err != nil {
			if !isPrintable(err.Error()) {
				t.Errorf("error %q", err)
			}
			return
		}
		// Put the old bytes back in these places: nothing else may differ.
		if len(c) != len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(c))
		}
		for key, text := range pieces {
			p, _ := ParseHex(text)
			at := 0
			for _, digit := range key {
				at = at*10 + int(digit-'0')
			}
			if !bytes.Equal(c[at:at+len(p)], p) {
				t.Errorf("at %d is %x, want %x", at, c[at:at+len(p)], p)
			}
			copy(c[at:], b[at:at+len(p)])
		}
		if !bytes.Equal(c, b) {
			t.Errorf("%v changed other bytes: %x, now %x", pieces, b, c)
		}
	})
}

// checkHex holds ParseHex against encoding/hex.
func checkHex(t *testing.T, s string) {
	t.Helper()
	b, err := ParseHex(s)
	if err != nil {
		if !isPrintable(err.Error()) {
			t.Errorf("error %q", err)
		}
		return
	}
	digits := strings.Map(func(c rune) rune {
		if strings.ContainsRune(" \t\n\v\f\r", c) {
			return -1
		}
		return c
	}, s)
	if want, err := hex.DecodeString(digits); err != nil || !bytes.Equal(b, want) || len(b) > MaxLen {
		t.Errorf("%q is %x, want %x, %v", s, b, want, err)
	}
}
