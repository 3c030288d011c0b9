package packet

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// seed adds the sample packets and some shorter inputs.
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

// FuzzSummaryDump: for any bytes, a summary is one printable line, a dump is
// printable lines, and the words of a dump parse as hex to the same packet.
func FuzzSummaryDump(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		if s := Summary(b); s == "" || len(s) > maxSummary || !isPrintable(s) {
			t.Errorf("summary of %d bytes: %q", len(s), s)
		}
		// The dump with everything, and the bytes alone.
		for _, text := range []string{Dump(b, 0, true, true), Dump(b, 0, false, false), Words(b, dumpBytes)} {
			checkDump(t, b, text)
		}
		FlowOf(b)
		FlowOfCut(b)
		FragmentOf(b)
		AnswersTo(b)
		SegmentOf(b)
		Addresses(b)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
	})
}

// checkDump checks the dump of a packet.
func checkDump(t *testing.T, b []byte, text string) {
	t.Helper()
	if text != "" && text[len(text)-1] != '\n' {
		t.Error("no newline at the end")
	}
	if !isPrintable(strings.ReplaceAll(text, "\n", "")) {
		t.Errorf("not printable: %q", text)
	}
	if again, err := ParseHex(pasted(text)); err != nil || !bytes.Equal(again, b[:min(len(b), dumpBytes)]) {
		t.Errorf("the words parse to (%v)\n%x, want\n%x", err, again, b)
	}
}

// A long packet is shown in part, and its text looks like lines of a dump.
func TestDumpOfALongPacket(t *testing.T) {
	b := bytes.Repeat([]byte("\n45: 00\x1b[31m"), dumpBytes/10)
	for _, text := range []string{Dump(b, 0, true, true), Dump(b, 0, false, false), Words(b, dumpBytes)} {
		checkDump(t, b, text)
		if !strings.Contains(text, "\n+ ") {
			t.Error("the dump does not say how much is left out")
		}
	}
}

// pasted returns the words of a dump, without offsets, ASCII and the lines after the
// bytes.
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

// FuzzCheckFix: Check finds no fault in the result of Fix. Fix keeps the number of
// bytes, and a second Fix changes nothing.
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
		mentions, err := Beyond(b)
		for _, m := range mentions {
			if !m.Addr.IsValid() || !isPrintable(m.What) {
				t.Errorf("odd mention %+v", m)
			}
		}
		if err != nil && !isPrintable(err.Error()) {
			t.Errorf("odd text %q", err)
		}
		fixed, err := Fix(b)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
		if err != nil {
			if len(faults) == 0 || !isPrintable(err.Error()) {
				t.Errorf("all faults %v are fixable, but Fix fails: %v", faults, err)
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
			t.Errorf("a second Fix changes the packet: %v", err)
		}
		if _, ok := FlowOf(b); ok && Carriable(b, len(b)) != nil {
			t.Error("a packet that cannot be carried has a flow")
		}
	})
}

// bothZeros reports whether two packets differ only in the form of zero, 0xffff or 0,
// or in a UDP checksum where one has none.
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

// FuzzPatch: ParseHex agrees with encoding/hex except for white space, and Patch
// replaces exactly the bytes at its offsets.
func FuzzPatch(f *testing.F) {
	packet := []byte("0123456789")
	for _, s := range []string{"", "4500 0054", "4", "45 0", "0x45", "45\u00a000", "\xff", "4\t5", "45\v00\r\n", strings.Repeat("00", MaxLen+1)} {
		f.Add(packet, "0", s, "9", "43")
	}
	f.Add(packet, "1", "4142", "2", "43")
	f.Add(packet, "0", "@2+3 41 @0+1", "9", "@9+1")
	f.Add(packet, "0", "@9+2", "1", "@+1")
	f.Add(packet, "-1", "4142", "10", "43")
	f.Add(packet, "01", "41", "99999999999999999999", "43")
	f.Add(packet, "0", "4142434445464748494a", "0", "4142434445464748494a")
	f.Fuzz(func(t *testing.T, b []byte, at1, hex1, at2, hex2 string) {
		checkHex(t, hex1)
		before := bytes.Clone(b)
		pieces := map[string]string{at1: hex1, at2: hex2}
		c, err := Patch(b, b, pieces)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
		if err != nil {
			if !isPrintable(err.Error()) {
				t.Errorf("error %q", err)
			}
			return
		}
		// With the old bytes put back, the packet must be unchanged.
		if len(c) != len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(c))
		}
		for key, text := range pieces {
			p, _ := patchBytes(text, b)
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

// checkHex compares ParseHex with encoding/hex.
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
