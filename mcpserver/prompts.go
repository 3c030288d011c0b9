package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/docs"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

// addPrompts declares the prompts. Their texts are guides of docs, behind a
// first paragraph that says who the agent is here and when to stop.
func addPrompts(s *server.MCPServer, status func() session.Status) error {
	for _, name := range []string{"answer-pings.md", "play-host.md", "play-tcp.md", "play-ip6.md", "no-summary.md", "by-hand.md"} {
		if _, err := docs.Files.ReadFile(name); err != nil {
			return fmt.Errorf("reading a guide for the prompts: %w", err)
		}
	}
	s.AddPrompt(mcp.NewPrompt("answer-pings",
		mcp.WithPromptTitle("Answer pings"),
		mcp.WithPromptDescription("Be the host on the link and answer its pings, every byte by yourself"),
		mcp.WithArgument("count", mcp.ArgumentDescription("how many pings to answer, then stop; default: until the user says stop")),
	), prompt(status))
	s.AddPrompt(mcp.NewPrompt("play-host",
		mcp.WithPromptTitle("Play a host"),
		mcp.WithPromptDescription("Be the host on the link: answer pings, UDP echo, DNS, HTTP and TCP echo, refuse closed ports"),
		mcp.WithArgument("guides", mcp.ArgumentDescription("more guides to put in at once: tcp, ip6 or all; default: none, the prompt names those to read")),
	), prompt(status))
	return nil
}

// words are what the prompts say, by their names: a function that words one for
// the link as it is now.
var words = map[string]func(now session.Status, arguments map[string]string) (string, error){
	"answer-pings": answerPings,
	"play-host":    playHost,
}

// prompt answers a request for a prompt.
func prompt(status func() session.Status) server.PromptHandlerFunc {
	return func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		said, err := words[request.Params.Name](status(), request.Params.Arguments)
		if err != nil {
			return nil, err
		}
		return mcp.NewGetPromptResult(request.Params.Name, []mcp.PromptMessage{
			mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(said)),
		}), nil
	}
}

// refusePrompt says why a request for a prompt is not served. mcp-go would make an
// internal error of what the prompt itself says to its arguments.
func refusePrompt(text []byte) *refusal {
	var request mcp.GetPromptRequest
	if err := json.Unmarshal(text, &request); err != nil {
		return nil // mcp-go words what is mistyped
	}
	word, ok := words[request.Params.Name]
	if !ok {
		return nil // and what is not there
	}
	// What is accepted is the same on any link.
	if _, err := word(session.Status{}, request.Params.Arguments); err != nil {
		return &refusal{mcp.INVALID_PARAMS, fmt.Sprintf("%s: %v", request.Params.Name, err)}
	}
	return nil
}

// untilTold is when an agent stops if nobody has given it a number.
const untilTold = "until the user says stop, or three reads of 30 s in a row bring nothing"

func answerPings(now session.Status, arguments map[string]string) (string, error) {
	until := untilTold
	if count := arguments["count"]; count != "" {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return "", fmt.Errorf("count is %s; accepted: a whole number from 1, for instance 20", tools.Quote(count))
		}
		until = fmt.Sprintf("until you have answered %d", n)
	}
	head := fmt.Sprintf("You are the host %s on this link; the peer is %s. Answer its pings %s. Then say how many you answered and how long your answers took (tun://status has the times).", addresses(now), peers(now), until)
	if now.Agent6 != "" {
		head += " For pings over IPv6 read the resource tun://docs/play-ip6.md now."
	}
	in := []string{"answer-pings.md"}
	if tools.Assist(now.Assist) == tools.AssistNone {
		in = []string{"no-summary.md", "answer-pings.md"}
	}
	return under(head, in...), nil
}

// wanted are the guides that the prompt play-host holds, by its argument, on a
// server that fills in lengths and checksums. A client whose model cannot read
// resources has to ask for more than the first.
var wanted = map[string][]string{
	"":    {"play-host.md"},
	"tcp": {"play-host.md", "play-tcp.md"},
	"ip6": {"play-host.md", "play-ip6.md"},
	"all": {"play-host.md", "answer-pings.md", "play-tcp.md", "play-ip6.md"},
}

func playHost(now session.Status, arguments map[string]string) (string, error) {
	in, ok := wanted[arguments["guides"]]
	if !ok {
		return "", fmt.Errorf("guides is %s; accepted: tcp, ip6 or all, or nothing", tools.Quote(arguments["guides"]))
	}
	head := fmt.Sprintf("You are the host %s on this link; the peer is %s. Answer what comes, %s. Then say what you answered and how long your answers took (tun://status has the times).", addresses(now), peers(now), untilTold)
	switch tools.Assist(now.Assist) { // what holds in place of what the others say stands first
	case tools.AssistNone:
		in = append([]string{"no-summary.md", "by-hand.md"}, in...)
	case tools.AssistCheck:
		in = append([]string{"by-hand.md"}, in...)
	}
	later := slices.DeleteFunc(slices.Clone(wanted["all"]), func(name string) bool { return slices.Contains(in, name) || now.Agent6 == "" && name == "play-ip6.md" })
	if len(later) > 0 {
		head += " Read the resource tun://docs/" + strings.Join(later, ", tun://docs/") + " now, before the first read."
	}
	return under(head, in...), nil
}

// under puts guides, whole, under a first paragraph.
func under(head string, guides ...string) string {
	for _, name := range guides {
		guide, err := docs.Files.ReadFile(name)
		if err != nil { // addPrompts has read every one
			panic(err)
		}
		head += "\n\n" + strings.TrimSuffix(string(guide), "\n")
	}
	return head + "\n"
}
