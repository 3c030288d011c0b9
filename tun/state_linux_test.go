package tun_test

import (
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
