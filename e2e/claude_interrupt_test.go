//go:build linux

package e2e

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/control"
)

// A read that the user interrupts is cancelled and not answered. Claude Code continues
// at once, and the next read gets the packets.
func TestClaudeCodeInterrupted(t *testing.T) {
	c := newClaude(t, builtProject(t), true)
	stdin, err := c.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	send := func(line string, values ...any) {
		t.Helper()
		if _, err := io.WriteString(stdin, fmt.Sprintf(line, values...)+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	say := func(text string) {
		t.Helper()
		send(`{"type":"user","message":{"role":"user","content":%q}}`, text)
	}
	c.process.Args = append(c.process.Args, "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
	c.launch()
	say("answer pings")
	c.reading()
	server, err := control.Find("")
	if err != nil {
		t.Fatal(err)
	}
	reading(t, server, 1)
	send(`{"type":"control_request","request_id":"1","request":{"subtype":"interrupt"}}`)
	reading(t, server, 0)
	say("what happened?")
	c.reading() // it asks the model again
	say("answer pings until you have answered 1")
	c.reading()
	pings(t, 1)
	stdin.Close()
	if out := c.finished(); !strings.Contains(out, "I answered 1 pings") {
		t.Errorf("claude printed %s", out)
	}
}
