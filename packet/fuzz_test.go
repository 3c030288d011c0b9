package packet

import (
	"bytes"
	"encoding/hex"
	"testing"
)

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

func FuzzSummary(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		s := Summary(b)
		if s == "" || len(s) > maxSummary || !isPrintable(s) {
			t.Errorf("%d bytes: %q", len(s), s)
		}
		FlowOf(b)
		AnswersTo(b)
		SegmentOf(b)
		Addresses(b)
		_ = Carriable(b, 1500)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
	})
}

func FuzzCheckFix(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		faults := Check(b)
		for _, fault := range faults {
			if fault.Layer == "" || fault.Field == "" || fault.At < 0 || fault.At > len(b) || !isPrintable(fault.String()) {
				t.Errorf("odd fault %+v", fault)
			}
		}
		fixed, err := Fix(b)
		if err != nil {
			if len(faults) == 0 {
				t.Errorf("nothing is wrong, and yet: %v", err)
			}
			return
		}
		if faults := Check(fixed); len(faults) > 0 {
			t.Errorf("after Fix: %v", faults)
		}
		if len(fixed) != len(b) {
			t.Errorf("%d bytes became %d", len(b), len(fixed))
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

func FuzzDump(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, text := range []string{Dump(b, true, true), Dump(b, true, false), Dump(b, false, true), Words(b, 100)} {
			if text != "" && text[len(text)-1] != '\n' {
				t.Error("no newline at the end")
			}
			if !isPrintable(string(bytes.ReplaceAll([]byte(text), []byte("\n"), nil))) {
				t.Errorf("not printable: %q", text)
			}
		}
	})
}

func FuzzHex(f *testing.F) {
	for _, s := range []string{"", "4500 0054", "4", "45 0", "0x45", "45\u00a000", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseHex(s)
		if err != nil {
			if !isPrintable(err.Error()) {
				t.Errorf("error %q", err)
			}
			return
		}
		if again, err := ParseHex(hex.EncodeToString(b)); err != nil || !bytes.Equal(again, b) {
			t.Errorf("% x, then % x, %v", b, again, err)
		}
	})
}

func FuzzPatch(f *testing.F) {
	f.Add([]byte("0123456789"), "0", "4142", "5", "43")
	f.Add([]byte("0123456789"), "1", "4142", "2", "43")
	f.Add([]byte("0123456789"), "-1", "4142", "10", "43")
	f.Fuzz(func(t *testing.T, b []byte, at1, hex1, at2, hex2 string) {
		before := bytes.Clone(b)
		c, err := Patch(b, map[string]string{at1: hex1, at2: hex2})
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
		if err != nil {
			if !isPrintable(err.Error()) {
				t.Errorf("error %q", err)
			}
			return
		}
		if at1 == at2 {
			hex1 = ""
		}
		p1, _ := ParseHex(hex1)
		p2, _ := ParseHex(hex2)
		changed := 0
		for i := range b {
			if b[i] != c[i] {
				changed++
			}
		}
		if len(c) != len(b) || changed > len(p1)+len(p2) {
			t.Errorf("%d bytes changed by pieces of %d and %d", changed, len(p1), len(p2))
		}
	})
}
