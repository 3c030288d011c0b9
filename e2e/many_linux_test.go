package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A flood of pings, 32 at once, costs the agent few characters: at most 30 out for each
// reply, counting all arguments, and at most 110 in for each packet, with read_packet's
// default arguments. No ping is lost.
func TestManyPingsInFewCharacters(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	c := startServer(t, legacyEra, "--network", "private")
	agent := &scripted{c: c}
	out, in := 0, 0
	done := make(chan string)
	go func() {
		text, failed := agent.call("read_packet", `{}`)
		for in += utf8.RuneCountInString(text); !failed; in += utf8.RuneCountInString(text) {
			replies := agent.replies(text)
			if replies == "" {
				break
			}
			arguments := `{"packets":[` + replies + `],"then_read":{"timeout_ms":2000}}`
			out += len(arguments)
			text, failed = agent.call("write_packet", arguments)
		}
		done <- text
	}()
	count := tuntest.Long(3200, 20000)
	printed, err := c.command("exec", "--", "ping", "-q", "-f", "-l", "32", "-c", strconv.Itoa(count), "10.77.0.2").CombinedOutput()
	last := <-done
	if err != nil || !strings.Contains(string(printed), fmt.Sprintf("%d packets transmitted, %d received", count, count)) {
		t.Errorf("%v\n%s", err, printed)
	}
	if agent.answered != count || !strings.Contains(last, "no packet in 2000 ms") {
		t.Errorf("%d of %d answered; the last result: %s", agent.answered, count, last)
	}
	t.Logf("%.1f characters out for each reply, %.1f in for each packet", float64(out)/float64(count), float64(in)/float64(count))
	if out > 30*count || in > 110*count {
		t.Errorf("%d characters out and %d in for %d pings", out, in, count)
	}
}
