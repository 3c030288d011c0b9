package subject

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/docs"
)

// idleRead is the read timeout in the prompt. It is read_packet's own default, which
// every client must be able to wait for.
const idleRead = 30 * time.Second

// idleReads returns after how many empty reads in a row a model may stop. After a
// request without an answer the trial waits for up to two deadlines (its own, and one at
// the end of the scenario) before it sends more.
func (c *Config) idleReads() int {
	return int(2*c.Deadline/idleRead) + 2
}

// rule returns the rule of the prompt about other tools and programs.
func (c *Config) rule() string {
	if c.Handlers {
		return "Use no other tool except install_handler of the same server, and write only handlers, no other program."
	}
	return "Use no other tool, and write no program: work out every byte yourself."
}

// Prompt returns the prompt of a model, with the guides that it needs. It does not
// mention the traps of the scenarios.
func (c *Config) Prompt() string {
	guides := []string{"answer-pings.md"}
	if c.Assist == "none" {
		guides = []string{"no-summary.md", "answer-pings.md"}
	}
	if c.Programs {
		guides = append(guides, "play-host.md", "play-tcp.md")
		if c.Assist != "fix" {
			guides = slices.Insert(guides, 0, "by-hand.md") // first, because it overrides the others
		}
	}
	if c.Handlers {
		guides = append(guides, "write-handler.md")
	}
	if c.IPv6 {
		guides = append(guides, "play-ip6.md")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "You are a host on an IP link. You act through the tools read_packet, write_packet and hexdump of the MCP server tun. "+
		"Its instructions and tun://status give your addresses. "+
		"Be that host until the tools say that the link has ended: that is the end of your task. "+
		"Stop before that only after %d reads in a row, each with timeout_ms %d, have brought nothing. "+
		"At the end say in one line how many packets you answered, and stop. %s\n",
		c.idleReads(), idleRead.Milliseconds(), c.rule())
	for _, name := range guides {
		text, err := docs.Files.ReadFile(name)
		if err != nil { // the guides are embedded, so the name is wrong
			panic(err)
		}
		b.WriteString("\n" + string(text))
	}
	return b.String()
}
