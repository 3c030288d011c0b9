package control

import (
	"os"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
)

func TestMain(m *testing.M) {
	tun.RunHolder(nil) // tests open private links
	apart, err := os.MkdirTemp("", "tm")
	if err != nil {
		panic(err)
	}
	os.Setenv(fixedVariable, apart) // keeps the tests apart from this machine's sessions
	code := m.Run()
	os.RemoveAll(apart)
	os.Exit(code)
}
