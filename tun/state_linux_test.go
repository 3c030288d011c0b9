package tun_test

import (
	"strconv"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestState(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	for _, step := range []struct{ want, command string }{
		{"up", "ip link set tun0 down"},
		{"down", "ip link set tun0 up"},
		{"up", "ip link delete tun0"},
		{"gone", ""},
	} {
		if got := link.State(); got != step.want {
			t.Errorf("the link is %s, want %s; next: %s", got, step.want, step.command)
		}
		if step.command == "" {
			continue
		}
		if out, err := tuntest.Exec(t, link, "sh", "-c", step.command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", step.command, err, out)
		}
	}
}

// A view of the device works even if the holder does not react.
func TestStateHolderStopped(t *testing.T) {
	t.Parallel() // takes the 2 s that a holder has for its exit
	link := tuntest.OpenPrivate(t, tun.Config{})
	freeze(t, link)
	if state, mtu := link.State(), link.CurrentMTU(); state != "up" || mtu != 1500 {
		t.Errorf("the link is %s, its MTU %d", state, mtu)
	}
	link.Close()
	if state := link.State(); state != "gone" {
		t.Errorf("after Close the link is %s, want gone", state)
	}
}

func TestCurrentMTU(t *testing.T) {
	link := tuntest.OpenPrivate(t, tun.Config{})
	for _, mtu := range []int{1500, 576, 9000} {
		output(t, link, "ip", "link", "set", "tun0", "mtu", strconv.Itoa(mtu))
		if got := link.CurrentMTU(); got != mtu {
			t.Errorf("the MTU is %d, want %d", got, mtu)
		}
	}
	link.Close()
	if got := link.CurrentMTU(); got != link.MTU {
		t.Errorf("after Close the MTU is %d, want that of the start", got)
	}
}
