package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// badRole makes this test binary an agent that starts the server which its
// arguments name, reads once, and then does as the role says: "floods" answers
// what came 5,000 times over, "hangs" does nothing, "ends" ends, "sits" goes on
// reading and never answers, "points" answers what no stack takes.
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
		line, _ := lines.ReadString('\n') // at its end there is nothing to answer
		return line
	}
	text := call(1, "read_packet", `{"timeout_ms":60000,"max_packets":1,"settle_ms":0}`)
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

// An agent that floods is a result with a reason, in a report of ordinary size.
func TestTrialOfAFloodingAgent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report, out, status := runTrialCommand(t, "ping", "--count", "2", "--network", "memory", "--deadline", "2s",
		"--agent", badRole+"=floods "+self+" {server}")
	// Of what it writes at last, #1 is forgotten, and refused.
	if status != 1 || report.Total.Faults["duplicate"] != 1 || report.Total.Lost != 1 || report.Total.Writes < 4000 {
		t.Errorf("exit status %d, %+v\n%s", status, report.Total, out)
	}
	for _, e := range report.Scenarios[0].Exchanges {
		if len(e.Detail) > 1000 {
			t.Errorf("a detail of %d characters", len(e.Detail))
		}
	}
}

// An agent that stops playing after it has begun is a result with a reason, and
// what was lost is counted, also where one trial runs many scenarios.
func TestTrialOfAgentsThatStop(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		role, want string
		lost       int // 0: as it comes
	}{
		{"hangs", "the agent has read nothing while 3 requests came: it no longer plays", 0},
		{"ends", "no tokens left", 0},
		{"sits", "the agent read it and never answered", 5},
	} {
		t.Run(test.role, func(t *testing.T) {
			report, out, status := runTrialCommand(t, "ping", "--count", "5", "--network", "memory", "--deadline", "300ms",
				"--agent", badRole+"="+test.role+" "+self+" {server}")
			if total := report.Total; status != 1 || total.Right > 0 || total.Sent == 0 && test.role != "ends" || total.Lost != total.Sent ||
				test.lost > 0 && total.Lost != test.lost || !strings.Contains(strings.Join(strings.Fields(out), " "), test.want) { // the table breaks lines
				t.Errorf("exit status %d, want 1 and %q\n%s", status, test.want, out)
			}
		})
	}
}
