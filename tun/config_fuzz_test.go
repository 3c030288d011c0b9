package tun

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"unicode"
)

// FuzzConfig: an accepted impairment has only valid shares and delays and survives
// formatting and parsing. The agent of an accepted link is another host in the same
// prefix. Every error is one clean line.
func FuzzConfig(f *testing.F) {
	f.Add("drop=5%,duplicate=1%,reorder=2%,delay=20ms,jitter=5ms,seed=7", "tun0", "10.77.0.1/24", 1500)
	f.Add("", "tun%d", "10.77.0.255/24", 67)
	f.Add("drop=0.05,drop=1", "a b", "2001:db8:77::ffff/127", 1280)
	f.Fuzz(func(t *testing.T, impairment, name, addr string, mtu int) {
		checkImpairment(t, impairment)

		prefix, err := netip.ParsePrefix(addr)
		if err != nil {
			return
		}
		c := Config{Name: name, MTU: mtu, Addr: prefix}
		if prefix.Addr().Is6() {
			c.Addr, c.Addr6 = netip.Prefix{}, prefix
		}
		if err := c.Validate(); err != nil {
			oneLine(t, err)
			return
		}
		agent := agentIn(prefix)
		if !agent.IsValid() || !prefix.Contains(agent) || agent == prefix.Addr() {
			t.Errorf("the agent of the peer %s is %s", prefix, agent)
		}
		// The agent's address must be valid as a peer's address, too.
		if err := validatePeer(netip.PrefixFrom(agent, prefix.Bits()), likeAddr); err != nil {
			t.Errorf("the agent of the peer %s is %s: %v", prefix, agent, err)
		}
	})
}

func checkImpairment(t *testing.T, text string) {
	t.Helper()
	i, err := ParseImpairment(text)
	if err != nil {
		oneLine(t, err)
		return
	}
	for _, share := range []float64{i.Drop, i.Duplicate, i.Reorder} {
		if !(share >= 0 && share <= 1) {
			t.Errorf("%q: a share of %v", text, share)
		}
	}
	if i.Delay < 0 || i.Delay > MaxDelay || i.Jitter < 0 || i.Jitter > MaxDelay {
		t.Errorf("%q: delay %v, jitter %v", text, i.Delay, i.Jitter)
	}
	again, err := ParseImpairment(i.String())
	if err != nil || again.Seed != i.Seed || again.Delay != i.Delay || again.Jitter != i.Jitter || again.IsZero() != i.IsZero() ||
		!near(again.Drop, i.Drop) || !near(again.Duplicate, i.Duplicate) || !near(again.Reorder, i.Reorder) {
		t.Errorf("%q is formatted as %q, which parses to %+v, %v", text, i, again, err)
	}
}

// near reports whether a and b agree to the six digits of a formatted share.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-5*b+math.SmallestNonzeroFloat64 }

func oneLine(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsFunc(err.Error(), func(c rune) bool { return !unicode.IsPrint(c) }) {
		t.Errorf("the error is %q", err)
	}
}
