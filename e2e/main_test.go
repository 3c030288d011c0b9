package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
)

// program is the path of the built program, the same for all tests of this package.
var program string

// builtProgram is an environment variable with the path of the program, for a test
// started by another test.
const builtProgram = "TUN_MCP_TEST_PROGRAM"

func TestMain(m *testing.M) {
	tun.RunHolder(nil)
	if program = os.Getenv(builtProgram); program != "" {
		os.Exit(m.Run())
	}
	apart, err := os.MkdirTemp("", "tm")
	if err != nil {
		panic(err)
	}
	os.Setenv("TUN_MCP_RUNTIME_DIR", apart) // keeps the tests apart from this machine's sessions
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	// Parallel tests spend nearly all their time waiting for other processes.
	if err := flag.Set("test.parallel", strconv.Itoa(max(8, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	os.Exit(func() int {
		defer os.RemoveAll(apart)
		dir, err := os.MkdirTemp("", "tun-mcp-test")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "tun-mcp")
		if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the program under test: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}
