package tuntest

import (
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
)

// requireNet is an environment variable. If it is 1, a test fails instead of being
// skipped if this machine lacks something.
const requireNet = "TUN_MCP_REQUIRE_NET"

// RequirePrivate skips the test if this machine does not allow a private network, or
// fails it with TUN_MCP_REQUIRE_NET=1, and says why. The package's TestMain must call
// tun.RunHolder first.
func RequirePrivate(t testing.TB) {
	t.Helper()
	if err := tryPrivate(); err != nil {
		Unmet(t, err)
	}
}

var tryPrivate = sync.OnceValue(func() error {
	link, err := tun.Open(tun.Config{Network: tun.NetworkPrivate})
	if err != nil {
		return err
	}
	return link.Close()
})

// RequireProgram skips or fails the test in the same way if the program name is not
// installed.
func RequireProgram(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		Unmet(t, err)
	}
}

// Unmet skips the test because this machine lacks something, or fails it with
// TUN_MCP_REQUIRE_NET=1, and says why. Tests skip only through Unmet.
func Unmet(t testing.TB, why error) {
	t.Helper()
	if os.Getenv(requireNet) == "1" {
		t.Fatalf("%v (%s=1 forbids skipping)", why, requireNet)
	}
	t.Skipf("%v (%s=1 makes this a failure)", why, requireNet)
}

// OpenPrivate opens a private link with cfg and closes it at the end of the test. It
// skips or fails the test like RequirePrivate.
func OpenPrivate(t testing.TB, cfg tun.Config) *tun.Link {
	t.Helper()
	RequirePrivate(t)
	cfg.Network = tun.NetworkPrivate
	link, err := tun.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	return link
}

// OpenMemory opens a memory link with cfg and closes it at the end of the test.
func OpenMemory(t testing.TB, cfg tun.Config) *tun.Link {
	t.Helper()
	cfg.Network = tun.NetworkMemory
	link, err := tun.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	return link
}

// RuntimeDir returns a folder for control sockets and removes it at the end of the test.
// Its name is short, since the path of a socket has at most 103 bytes.
func RuntimeDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Exec returns a command, ready to start, that runs args on the peer of link. It is
// killed at the end of the test. If nsenter or the program is not installed, Exec skips
// or fails the test like RequireProgram.
func Exec(t testing.TB, link *tun.Link, args ...string) *exec.Cmd {
	t.Helper()
	RequireProgram(t, "nsenter")
	if len(args) > 0 {
		RequireProgram(t, args[0])
	}
	argv, err := tun.ExecCommand(link.Network, link.Holder, args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second // for children of the program
	return cmd
}
