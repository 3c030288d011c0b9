package judge

import (
	"strings"
	"testing"
)

func TestJudgeOptions(t *testing.T) {
	for _, test := range []struct {
		version int
		options []byte
		want    string // "": they fit
	}{
		{4, nil, ""},
		{4, []byte{1, 1, 1, 0}, ""},
		{4, []byte{7, 7, 4, 0, 0, 0, 0, 0}, ""},
		{4, []byte{0, 99, 99, 99}, ""}, // what follows the end of the list is padding
		{4, []byte{7, 0x63, 4, 0}, "option 7 is 99 bytes long, 4 are there"},
		{4, []byte{1, 2, 1, 0}, "option 2 is 1 bytes long"},
		{4, []byte{1, 1, 1, 7}, "option 7 has no length"},
		{6, []byte{1, 4, 0, 0, 0, 0}, ""},
		{6, []byte{0, 0, 0, 0, 0, 0}, ""},
		{6, []byte{0, 0, 0, 0, 5, 0}, ""},
		{6, []byte{0, 5, 4, 0, 0, 0}, "option 5 is 6 bytes long, 5 are there"},
		{6, []byte{0, 0, 0, 0, 0, 5}, "option 5 has no length"},
	} {
		if got := oddOption(test.options, test.version); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("IPv%d %x: %q, want %q", test.version, test.options, got, test.want)
		}
	}
}
