package judge

import (
	"strings"
	"testing"
)

func TestJudgeOptions(t *testing.T) {
	for _, test := range []struct {
		version int
		options []byte
		want    string // "" means that they fit
	}{
		{4, nil, ""},
		{4, []byte{1, 1, 1, 0}, ""},
		{4, []byte{7, 7, 4, 0, 0, 0, 0, 0}, ""},
		{4, []byte{0, 99, 99, 99}, ""}, // padding after the end of the list
		{4, []byte{7, 0x63, 4, 0}, "option 7 has length 99, accepted are 2 to 4"},
		{4, []byte{1, 2, 1, 0}, "option 2 has length 1, accepted are 2 to 3"},
		{4, []byte{1, 1, 1, 7}, "option 7 has no length"},
		{6, []byte{1, 4, 0, 0, 0, 0}, ""},
		{6, []byte{0, 0, 0, 0, 0, 0}, ""},
		{6, []byte{0, 0, 0, 0, 5, 0}, ""},
		{6, []byte{0, 5, 4, 0, 0, 0}, "option 5 has length 6, accepted are 2 to 5"},
		{6, []byte{0, 0, 0, 0, 0, 5}, "option 5 has no length"},
	} {
		if got := oddOption(test.options, test.version); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("IPv%d %x: %q, want %q", test.version, test.options, got, test.want)
		}
	}
}
