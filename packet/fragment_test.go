package packet

import "testing"

// The fragments of one packet have the same Fragment, and a whole packet has none.
func TestFragmentOf(t *testing.T) {
	for first, last := range map[string]string{"ipv4-fragment-first": "ipv4-fragment-last", "ipv6-udp-fragment": "ipv6-udp-fragment-last"} {
		a, at, ok := FragmentOf(sample(t, first))
		b, atLast, okLast := FragmentOf(sample(t, last))
		if !ok || !okLast || a != b || a.ID == 0 || at != 0 || atLast == 0 {
			t.Errorf("%s is %+v at %d, %v; %s is %+v at %d, %v", first, a, at, ok, last, b, atLast, okLast)
		}
	}
	for _, name := range []string{"ping-request", "ipv6-atomic-fragment", "version-5"} {
		if f, _, ok := FragmentOf(sample(t, name)); ok || f != (Fragment{}) {
			t.Errorf("%s is a part of %+v", name, f)
		}
	}
}
