package worker

import (
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	for _, c := range []struct {
		written []string
		want    string
	}{
		{nil, ""},
		{[]string{"\n \n"}, ""},
		{[]string{"tun-mcp: there is no such thing\n"}, "there is no such thing"},
		{[]string{"a first line\nand a la", "st one\n\n"}, "and a last one"},
		{[]string{strings.Repeat("x", 3*tailBytes), "\nend"}, "end"},
		{[]string{strings.Repeat("x\n", tailBytes), "tun-mcp: ", strings.Repeat("y", 600)}, strings.Repeat("y", 500)},
	} {
		var out tail
		for _, text := range c.written {
			if n, err := out.Write([]byte(text)); n != len(text) || err != nil {
				t.Errorf("writing %d bytes: %d, %v", len(text), n, err)
			}
		}
		if got := out.last(); got != c.want || len(out.text) > tailBytes {
			t.Errorf("last line of %.40q: %.40q, with %d bytes kept; want %.40q", c.written, got, len(out.text), c.want)
		}
	}
}
