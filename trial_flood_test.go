package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// floodRole makes this test binary an agent that floods: it starts the server
// that its arguments name, reads once, and answers what came 5,000 times over.
const floodRole = "TUN_MCP_TEST_FLOOD"

func init() {
	if os.Getenv(floodRole) != "" {
		flood5000(os.Args[1:])
		os.Exit(0)
	}
}

func flood5000(server []string) {
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
	_, rest, _ := strings.Cut(text, "#")
	number, _, _ := strings.Cut(rest, " ")
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
	t.Setenv(floodRole, "") // for this process; the agent gets it below
	report, out, status := runTrialCommand(t, "ping", "--count", "2", "--network", "memory", "--deadline", "2s",
		"--agent", floodRole+"=1 "+self+" {server}")
	if status != 1 || report.Total.Faults["duplicate"] != 1 || report.Total.Lost != 1 || report.Total.Writes < 4000 { // then #1 is forgotten, and refused
		t.Errorf("exit status %d, %+v\n%s", status, report.Total, out)
	}
	for _, e := range report.Scenarios[0].Exchanges {
		if len(e.Detail) > 1000 {
			t.Errorf("a detail of %d characters", len(e.Detail))
		}
	}
}
