package docs_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// proofs says where each command of the README is run: by a test, or by CI, which
// has the very command.
var proofs = map[string]string{
	"go run . agent --ping 5": ".ci/run",
	"go test ./...":           ".ci/run",
	"go run . doctor":         ".ci/run",
	"claude":                  "TestClaudeCodeInTheCheckout",
	"go run . ping -c 5":      "TestPingCommand",
	"go run . exec -- curl http://10.77.0.2/": "TestBuiltinServesPrograms",
	"go install .":                       "TestInstall",
	"tun-mcp install":                    "TestInstallThereAndBack",
	"go run . watch":                     "TestWatchCommand",
	"go run . watch --web":               "TestPage",
	"go run . trial":                     ".ci/run",
	"go run . trial ping --agent claude": "TestTrialOfClaude",
	"go run . trial ping --agent served": "TestTrialServed",
	"go run ./campaign start plan.yaml":  "TestStart",
	"go run . handler try examples/handlers/ping.star FILE.pcapng": "TestHandlerTry",
	"go run . replay FILE.pcapng":                                  "TestReplayOfRecording",
	"go run . agent --ping 5 --record FILE.pcapng":                 "TestReplayOfRecording",
	"go run . --http 127.0.0.1:8077":                               "TestClaudeCodeOverHTTP",
}

var (
	shell  = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	inline = regexp.MustCompile("`((?:go|claude|tun-mcp) [^`]+)`")
)

// Every command of the README is run somewhere, and what is said to run it is
// there.
func TestReadmeCommands(t *testing.T) {
	page := readFile(t, "../README.md")
	if lines := strings.Count(page, "\n"); lines > 150 {
		t.Errorf("the README has %d lines, at most 150 are for two minutes", lines)
	}
	ci := readFile(t, "../.ci/run")
	found := make(map[string]bool)
	check := func(command string) {
		found[command] = true
		switch proof := proofs[command]; {
		case proof == "":
			t.Errorf("nothing is known to run `%s`: add it to proofs", command)
		case proof == ".ci/run":
			if !strings.Contains(strings.ReplaceAll(ci, "-timeout 20m ${absent:+-skip \"${absent#|}\"} ", ""), command) {
				t.Errorf("`%s` is not in .ci/run", command)
			}
		default:
			if exec.Command("grep", "-rqE", "--include=*_test.go", "^func "+proof+"[A-Za-z]*\\(", "..").Run() != nil {
				t.Errorf("`%s` is to be run by %s, which is no test", command, proof)
			}
		}
	}
	for _, block := range shell.FindAllStringSubmatch(page, -1) {
		for command := range strings.Lines(block[1]) {
			check(strings.TrimSpace(command))
		}
	}
	for _, command := range inline.FindAllStringSubmatch(page, -1) {
		check(command[1])
	}
	for command := range proofs {
		if !found[command] {
			t.Errorf("the README has no longer the command `%s`", command)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
