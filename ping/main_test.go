package ping

import (
	"os"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
)

func TestMain(m *testing.M) {
	tun.RunHolder(nil)
	os.Exit(m.Run())
}
