package packet

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// A short patch can stand for far more bytes than a packet has. It is refused before
// they take memory.
func TestPatchOfManyCopies(t *testing.T) {
	b := random(7, MaxLen)
	many := make(map[string]string)
	for at := range 1000 {
		many[strconv.Itoa(at)] = "@0+60000"
	}
	for name, c := range map[string]struct {
		pieces map[string]string
		want   string
	}{
		"in one piece":   {map[string]string{"0": strings.Repeat("@0+65535 ", 1000)}, "patch at 0: more than 65535 bytes: no packet is that long"},
		"in many pieces": {many, "patches at 0 (60000 bytes) and at 1 overlap"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Patch(b, b, c.pieces)
			runtime.ReadMemStats(&after)
			if err == nil || err.Error() != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
				t.Errorf("%d bytes were allocated for %d pieces", took, len(c.pieces))
			}
		})
	}
	// All of a packet fits, in one piece and in many.
	for at := range MaxLen {
		many[strconv.Itoa(at)] = "@" + strconv.Itoa(at) + "+1"
	}
	for _, pieces := range []map[string]string{{"0": "@0+65000 @65000+535"}, many} {
		if c, err := Patch(make([]byte, MaxLen), b, pieces); err != nil || !bytes.Equal(c, b) {
			t.Errorf("%d pieces for every byte: %v", len(pieces), err)
		}
	}
}
