package packet

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseHex(t *testing.T) {
	for _, c := range []struct{ in, want, err string }{
		{"", "", ""},
		{"4500 0054", "\x45\x00\x00\x54", ""},
		{" 45 00\n00\t54 \r\n", "\x45\x00\x00\x54", ""},
		{"aBCd", "\xab\xcd", ""},
		{"4500 00g4", "", "hex: character 'g' at position 7 is not a hex digit"},
		{"0x45", "", "hex: character 'x' at position 1 is not a hex digit"},
		{"0: 4500", "", "hex: character ':' at position 1 is not a hex digit"},
		{"45\u00a000", "", `hex: character '\u00a0' at position 2 is not a hex digit`},
		{"45\x1b[", "", `hex: character '\x1b' at position 2 is not a hex digit`},
		{"45\xff", "", `hex: character '\ufffd' at position 2 is not a hex digit`},
		{"45 0 0", "", "hex: white space follows the single digit '0' at position 3: write each byte as two digits"},
		{"45 00 5", "", "hex: 5 digits, an odd number, the last is '5' at position 6: write each byte as two digits"},
		{strings.Repeat("00", MaxLen) + "1", "", "hex: more than 65535 bytes: no packet is that long"},
	} {
		got, err := ParseHex(c.in)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if string(got) != c.want || text != c.err {
			t.Errorf("%.20q: % x, %q; want % x, %q", c.in, got, text, c.want, c.err)
		}
	}
	if b, err := ParseHex(strings.Repeat("00", MaxLen)); err != nil || len(b) != MaxLen {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestPatch(t *testing.T) {
	b := []byte("0123456789abcdef0123")
	for _, c := range []struct {
		pieces map[string]string
		want   string // the packet, or the error
	}{
		{nil, "0123456789abcdef0123"},
		{map[string]string{"0": "41", "19": "42", "2": "43 44"}, "A1CD456789abcdef012B"},
		{map[string]string{"2": "4344", "4": "45"}, "01CDE56789abcdef0123"},
		{map[string]string{"x": "00"}, `patch key "x" is not a decimal offset such as "12"`},
		{map[string]string{"": "00"}, `patch key "" is not a decimal offset such as "12"`},
		{map[string]string{"+1": "00"}, `patch key "+1" is not a decimal offset such as "12"`},
		{map[string]string{"-1": "00"}, `patch key "-1" is not a decimal offset such as "12"`},
		{map[string]string{" 1": "00"}, `patch key " 1" is not a decimal offset such as "12"`},
		{map[string]string{"01": "00"}, `patch key "01" is not a decimal offset such as "12"`},
		{map[string]string{"0x10": "00"}, `patch key "0x10" is not a decimal offset such as "12"`},
		{map[string]string{"20": "00"}, "patch at 20 does not lie inside the packet of 20 bytes: offsets go up to 19; append adds bytes"},
		{map[string]string{"99999999999999999999": "00"}, "patch at an offset of 20 digits does not lie inside the packet of 20 bytes: offsets go up to 19"},
		{map[string]string{"18": "000000"}, "patch at 18 of 3 bytes does not lie inside the packet of 20 bytes: append adds bytes"},
		{map[string]string{"12": ""}, "patch at 12 has no bytes: give hex, or leave the key out"},
		{map[string]string{"12": "0g"}, "patch at 12: hex: character 'g' at position 1 is not a hex digit"},
		{map[string]string{"2": "0000 00", "4": "00"}, "patches at 2 (3 bytes) and at 4 overlap"},
	} {
		got, err := Patch(b, b, c.pieces)
		text := string(got)
		if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%v: %q, want %q", c.pieces, text, c.want)
		}
	}
	if string(b) != "0123456789abcdef0123" {
		t.Error("Patch changed its argument")
	}
}

func TestWords(t *testing.T) {
	b := sample(t, "ping-request")
	for _, c := range []struct {
		b    []byte
		max  int
		want string
	}{
		{nil, 10, ""},
		{b[:3], 10, "0: 4500 00\n"},
		{b, 20, "0: 4500 0054 1a11 4000 4001 0bfc 0a4d 0001\n16: 0a4d 0002\n+ 64 more bytes\n"},
		{b, 83, strings.TrimSuffix(Words(b, 84), "37\n") + "\n+ 1 more byte\n"},
		{b, 0, "+ 84 more bytes\n"},
		{b, -1, "+ 84 more bytes\n"},
	} {
		if got := Words(c.b, c.max); got != c.want {
			t.Errorf("%d of %d bytes: %q, want %q", c.max, len(c.b), got, c.want)
		}
	}
}

// Without its offsets, the result of Words is hex.
func TestWordsAreHex(t *testing.T) {
	b := random(7, 1499)
	var digits strings.Builder
	for line := range strings.Lines(Words(b, len(b))) {
		_, words, _ := strings.Cut(line, ": ")
		digits.WriteString(words)
	}
	if got, err := ParseHex(digits.String()); err != nil || !bytes.Equal(got, b) {
		t.Errorf("the bytes differ: %v", err)
	}
}
