package handler

import (
	"strings"
	"testing"
	"time"
)

// For any program and packet, loading and running end soon, no error comes from a panic,
// errors and log lines are printable ASCII, and the packet passed in does not change.
func FuzzHandler(f *testing.F) {
	data := unhex(f, request)
	f.Add(ping, data)
	for _, c := range hostile {
		if len(c.source) < 2000 {
			f.Add(c.source, data)
		}
	}
	f.Add("def handle(p):\n  d = {(1, 'a'): [p.u16(0)]}\n  d[(1, 'a')] += [x for x in p if x & 1]\n  log('%s' % d, p[::-1], sorted(d.keys(), key=lambda k: k[0]))\n  return [p, b'E', p.copy()]\ndef tick(ms):\n  state.setdefault('t', []).append(ms)\n", []byte{})
	f.Fuzz(func(t *testing.T, source string, data []byte) {
		limits := Limits{Steps: 5000, Time: 100 * time.Millisecond, Memory: 1 << 20}
		if len(data) > 65535 {
			return
		}
		given := string(data)
		clean := func(what, text string) {
			if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !plain(r) }) {
				t.Errorf("%s: %q", what, text)
			}
			if strings.Contains(text, "inside the interpreter") || strings.Contains(text, "internal error") {
				t.Errorf("a panic: %s", text)
			}
		}
		began := time.Now()
		h, err := Load(source, Options{Limits: limits, Fix: len(data)%2 == 0})
		if err != nil {
			clean("load", err.Error())
			return
		}
		for i := range 3 {
			packets, taken, err := h.Handle(data)
			if err != nil {
				clean("handle", err.Error())
			}
			if !taken && len(packets) > 0 || len(packets) > MaxPackets || err != nil && taken {
				t.Errorf("%d packets, %v, %v", len(packets), taken, err)
			}
			if _, err := h.Tick(time.Duration(i) * TickEvery); err != nil {
				clean("tick", err.Error())
			}
		}
		for _, line := range h.Log() {
			if line != "" {
				clean("log", line)
			}
		}
		if string(data) != given {
			t.Error("the packet was changed")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
