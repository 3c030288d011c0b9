package control

import (
	"os"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
)

func TestMain(m *testing.M) {
	tun.RunHolder(nil) // tests open private links
	os.Exit(m.Run())
}
