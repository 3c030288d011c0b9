package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// badRole makes this test binary a bad agent. It starts the server that its arguments
// name, reads once, and then follows its role: "floods" answers everything 5,000 times,
// "hangs" does nothing, "ends" exits, "sits" keeps reading and never answers, "points"
// sends answers that no stack accepts.
const badRole = "TUN_MCP_TEST_BAD_AGENT"

func init() {
	if role := os.Getenv(badRole); role != "" {
		playBadly(role, os.Args[1:])
		os.Exit(0)
	}
}

func playBadly(role string, server []string) {
	cmd := exec.Command(server[0], server[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		panic(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	lines := bufio.NewReader(out)
	call := func(id int, tool, arguments string) string {
		fmt.Fprintf(in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`+"\n", id, tool, arguments)
		line, _ := lines.ReadString('\n') // empty at the end
		return line
	}
	text := call(1, "read_packet", `{"timeout_ms":60000,"max_packets":1,"max_bytes":200,"settle_ms":0}`)
	if role == "points" {
		pointTooLow(text, call)
		return
	}
	_, rest, _ := strings.Cut(text, "#")
	number, _, _ := strings.Cut(rest, " ")
	switch role {
	case "hangs":
		select {}
	case "ends":
		os.Stderr.WriteString("no tokens left\n")
		os.Exit(3)
	case "sits":
		for i := 2; call(i, "read_packet", `{"timeout_ms":90000}`) != ""; i++ {
		}
		return
	}
	reply := fmt.Sprintf(`{"reply_to":%s,"patch":{"12":"0a4d00020a4d0001","20":"00"}}`, number)
	for i := range 50 {
		call(2+i, "write_packet", `{"assist":"fix","packets":[`+strings.TrimSuffix(strings.Repeat(reply+",", 50), ",")+`]}`)
		call(100+i, "write_packet", `{"assist":"fix","packets":[`+strings.TrimSuffix(strings.Repeat(reply+",", 50), ",")+`]}`)
	}
	for i := 1000; call(i, "read_packet", `{"timeout_ms":90000}`) != ""; i++ {
	}
}

// A trial of an agent that floods ends with a reason and a report of ordinary size.
func TestTrialOfAFloodingAgent(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report, out, status := runTrialCommand(t, "ping", "--count", "2", "--network", "memory", "--deadline", "2s",
		"--agent", badRole+"=floods "+self+" {server}")
	// The record forgets #1 during the flood, so the last writes are refused.
	if status != 1 || report.Total.Faults["duplicate"] != 1 || report.Total.Lost != 1 || report.Total.Writes < 4000 {
		t.Errorf("exit status %d, %+v\n%s", status, report.Total, out)
	}
	for _, e := range report.Scenarios[0].Exchanges {
		if len(e.Detail) > 1000 {
			t.Errorf("a detail of %d characters", len(e.Detail))
		}
	}
}

// A trial of an agent that stops playing ends with a reason, and its lost requests are
// counted, even if many scenarios share the trial.
func TestTrialOfAgentsThatStop(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		role, want string
		lost       int // 0 means any number
	}{
		{"hangs", "the agent has stopped reading: it left 3 requests in a row unread", 0},
		{"ends", "no tokens left", 0},
		{"sits", "the agent read it but never answered", 5},
	} {
		t.Run(test.role, func(t *testing.T) {
			t.Parallel()
			report, out, status := runTrialCommand(t, "ping", "--count", "5", "--network", "memory", "--deadline", "300ms",
				"--agent", badRole+"="+test.role+" "+self+" {server}")
			if total := report.Total; status != 1 || total.Right > 0 || total.Sent == 0 && test.role != "ends" || total.Lost != total.Sent ||
				test.lost > 0 && total.Lost != test.lost || !strings.Contains(strings.Join(strings.Fields(out), " "), test.want) { // the table wraps lines
				t.Errorf("exit status %d, want 1 and %q\n%s", status, test.want, out)
			}
		})
	}
}
