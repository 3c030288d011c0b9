package handler

import (
	"strings"
	"testing"
	"time"
)

// The limit on time holds for operations with a long key, however many there are in a row.
func TestLongKeysTakeTime(t *testing.T) {
	for _, operation := range []string{"d[s] = 1", "d = {s: 1}", "d[s] += 1", "d[s]", "s in d", "d.get(s)", "d.setdefault(s, 1)"} {
		h := mustLoad(t, "state['s'] = 's' * 7000000\ndef handle(p):\n  s = state['s']\n  d = {s: 1}\n  for i in range(30):\n    "+strings.Repeat(operation+";", 1000)+"\n", Options{})
		began := processorTime(t)
		_, _, err := h.Handle(nil)
		took := processorTime(t) - began
		t.Logf("%s: %v", operation, took)
		if err == nil || !strings.Contains(err.Error(), "took over 250ms") || took > 800*time.Millisecond {
			t.Errorf("%s: %v of processor time, %v", operation, took, err)
		}
	}
}
