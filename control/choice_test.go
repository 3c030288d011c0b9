package control

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// claimIn claims a session name with this XDG_RUNTIME_DIR.
func claimIn(t *testing.T, runtime, name string) net.Listener {
	t.Helper()
	withVariables(t, runtime, "")
	l, err := Claim(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Without a name, a command takes the only session in its own folder, or else the
// only one elsewhere. If there are several, it takes none.
func TestSessionWithoutAName(t *testing.T) {
	mine, other := tuntest.RuntimeDir(t), tuntest.RuntimeDir(t)
	find := func(want string) {
		t.Helper()
		withVariables(t, mine, "")
		client, err := Find("")
		switch {
		case want == "":
			if !errors.Is(err, ErrNoSession) {
				t.Errorf("no session: %v", err)
			}
		case strings.Contains(want, ","):
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--session NAME") {
				t.Errorf("%v, want a refusal with %q", err, want)
			}
		case err != nil || client.Name != want:
			t.Errorf("%v, %v; want %s", client, err, want)
		}
	}
	find("")
	claimIn(t, other, "apart") // a command with an XDG_RUNTIME_DIR does not look there
	find("")
	shared := claimIn(t, "", "shared")
	find("shared")
	second := claimIn(t, "", "second")
	find("second, shared")
	own := claimIn(t, mine, "own")
	find("own")
	later := claimIn(t, mine, "later")
	find("later, own")
	own.Close()
	find("later")
	later.Close()
	find("second, shared")
	shared.Close()
	find("second")
	second.Close()
	find("")
}
