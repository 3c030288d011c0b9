package control

import (
	"os"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A command without XDG_RUNTIME_DIR finds a server that has it, but not in a folder
// that others can write to, and not if TUN_MCP_RUNTIME_DIR is set.
func TestServerWithARuntimeFolderOfItsOwn(t *testing.T) {
	withVariables(t, tuntest.RuntimeDir(t), "")
	l, err := Claim("elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := folders()[0]
	withVariables(t, "", "")
	if _, err := Find("elsewhere"); err == nil {
		t.Error("the server is found with TUN_MCP_RUNTIME_DIR set")
	}
	t.Setenv(fixedVariable, "")
	if client, err := Find("elsewhere"); err != nil || client.Path != l.Addr().String() {
		t.Errorf("the server is not found: %v, %v", client, err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Find("elsewhere"); err == nil {
		t.Error("the server is found in a folder that others can write to")
	}
}
