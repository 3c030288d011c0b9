package tuntest

import (
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
)

// requireNet is the environment variable that, set to 1, makes a test fail
// where it would be skipped because this machine lacks something.
const requireNet = "TUN_MCP_REQUIRE_NET"

// RequirePrivate skips the test if this machine does not allow a private
// network, and says why; with TUN_MCP_REQUIRE_NET=1 it fails it. The package's
// TestMain has to call tun.RunHolder first.
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

// RequireProgram skips or fails the test in the same way if name is not
// installed.
func RequireProgram(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		Unmet(t, err)
	}
}

// Unmet skips the test because this machine lacks what it needs, and says what
// that is; with TUN_MCP_REQUIRE_NET=1 it fails it. It is the one way to skip.
func Unmet(t testing.TB, why error) {
	t.Helper()
	if os.Getenv(requireNet) == "1" {
		t.Fatalf("%v (%s=1 forbids skipping)", why, requireNet)
	}
	t.Skipf("%v (%s=1 makes this a failure)", why, requireNet)
}

// OpenPrivate opens a private link as cfg says, for the length of the test. It
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

// Exec returns the command that runs args on the peer of link, ready to start.
// It is killed when the test ends. The test is skipped or fails like with
// RequireProgram if nsenter or the program is not installed.
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
	cmd.WaitDelay = time.Second // for what the program itself started
	return cmd
}
