package tun_test

import (
	"os"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
)

// roles are what this test binary does instead of testing if a test starts it again with
// the environment variable role set to one of them.
var roles = map[string]func(){}

const role = "TUN_TEST_ROLE"

func TestMain(m *testing.M) {
	tun.RunHolder(nil)
	if play := roles[os.Getenv(role)]; play != nil {
		play()
		return
	}
	os.Exit(m.Run())
}
