package cli

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A command that chooses among several sessions says which one it took.
func TestFindSessionSaysWhichItTook(t *testing.T) {
	t.Setenv("TUN_MCP_RUNTIME_DIR", tuntest.RuntimeDir(t))
	t.Setenv("XDG_RUNTIME_DIR", "")
	find := func(name, want, note string) {
		t.Helper()
		var said bytes.Buffer
		cmd := &cobra.Command{Use: "ping"}
		cmd.SetErr(&said)
		client, err := findSession(cmd, name)
		if err != nil || client.Name != want || said.String() != note {
			t.Errorf("%v, %v, %q; want %s, %q", client, err, said.String(), want, note)
		}
	}
	claim := func(name string) {
		l, err := control.Claim(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
	claim("elsewhere")
	t.Setenv("XDG_RUNTIME_DIR", tuntest.RuntimeDir(t))
	find("", "elsewhere", "")
	claim("mine")
	find("", "mine", "ping: sessions are running: mine, elsewhere; this is mine, the one in this process's own runtime folder; --session NAME takes another\n")
	find("elsewhere", "elsewhere", "")
}
