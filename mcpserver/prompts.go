package mcpserver

import (
	"context"
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

// addPrompts declares the prompts. Each is a paragraph that says who the agent is and
// when to stop, followed by guides from docs.
func addPrompts(s *server.MCPServer, status func() session.Status, handlers bool) error {
	for _, name := range []string{handlerGuide, "answer-pings.md", "play-host.md", "play-tcp.md", "play-ip6.md", "no-summary.md", "by-hand.md"} {
		if _, err := docs.Files.ReadFile(name); err != nil {
			return fmt.Errorf("reading a guide for the prompts: %w", err)
		}
	}
	s.AddPrompt(mcp.NewPrompt("answer-pings",
		mcp.WithPromptTitle("Answer pings"),
		mcp.WithPromptDescription("Be the host on the link and answer its pings, working out every byte yourself"),
		mcp.WithArgument("count", mcp.ArgumentDescription("how many pings to answer, then stop; default: until the user says stop")),
	), prompt(status))
	s.AddPrompt(mcp.NewPrompt("play-host",
		mcp.WithPromptTitle("Play a host"),
		mcp.WithPromptDescription("Be the host on the link: answer pings, UDP echo, DNS, HTTP and TCP echo, refuse closed ports"),
		mcp.WithArgument("guides", mcp.ArgumentDescription("guides to include besides play-host.md: tcp, ip6 or all; default: none, the prompt says when to read which")),
	), prompt(status))
	if handlers {
		s.AddPrompt(mcp.NewPrompt("write-handler",
			mcp.WithPromptTitle("Write a packet handler"),
			mcp.WithPromptDescription("Answer some packets by hand, then write a program that answers the rest at wire speed"),
			mcp.WithArgument("kind", mcp.ArgumentDescription("what to handle, one word: pings, udp, dns, tcp, all; default: pings")),
		), prompt(status))
	}
	return nil
}

// handlerGuide is the guide to packet handlers.
const handlerGuide = "write-handler.md"

// kinds are the values of kind in the prompt write-handler, each with the guides to
// its protocol.
var kinds = map[string]struct{ what, guides string }{
	"":      {"echo requests", "answer-pings.md"},
	"pings": {"echo requests", "answer-pings.md"},
	"udp":   {"UDP: echo on port 7, and port unreachable for closed ports", "play-host.md"},
	"dns":   {"DNS queries on UDP port 53", "play-host.md"},
	"tcp":   {"TCP: echo on port 7 and HTTP on port 80", "play-tcp.md"},
	"all":   {"everything that comes", "play-host.md, tun://docs/play-tcp.md"},
}

func writeHandler(now session.Status, arguments map[string]string) (string, error) {
	kind, ok := kinds[arguments["kind"]]
	if !ok {
		return "", fmt.Errorf("kind is %s; accepted: pings, udp, dns, tcp, all, or nothing", tools.Quote(arguments["kind"]))
	}
	head := fmt.Sprintf("You are the host %s on this link; the peer is %s. Answer a few packets by hand. Then write a packet handler for %s, try it, install it, and read again: a trial may start only then. You read what the handler passes on. Stop when told to, or when three reads of 30 s bring nothing and the handler answered nothing. Then say who answered what. tun://docs/%s has the protocol.",
		addresses(now), peers(now), kind.what, kind.guides)
	switch tools.Assist(now.Assist) {
	case tools.AssistNone:
		head += " Read tun://docs/no-summary.md first."
	case tools.AssistCheck:
		head += " For lengths and checksums: tun://docs/by-hand.md."
	}
	return withGuides(head, handlerGuide), nil
}

// promptTexts maps each prompt's name to a function that returns its text for the
// current link.
var promptTexts = map[string]func(now session.Status, arguments map[string]string) (string, error){
	"answer-pings": answerPings,
	"play-host":    playHost,

	"write-handler": writeHandler,
}

// prompt returns the handler for prompts/get.
func prompt(status func() session.Status) server.PromptHandlerFunc {
	return func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		text, err := promptTexts[request.Params.Name](status(), request.Params.Arguments)
		if err != nil {
			return nil, err
		}
		return mcp.NewGetPromptResult(request.Params.Name, []mcp.PromptMessage{
			mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(text)),
		}), nil
	}
}

// untilTold says when the agent stops if the user gave no number.
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
		head += readWhen("ping over IPv6", "play-ip6.md")
	}
	guides := []string{"answer-pings.md"}
	if tools.Assist(now.Assist) == tools.AssistNone {
		guides = []string{"no-summary.md", "answer-pings.md"}
	}
	return withGuides(head, guides...), nil
}

// hostGuides maps the argument of the prompt play-host to its guides, for a server with
// assist fix. A model that cannot read resources needs more than the first guide.
var hostGuides = map[string][]string{
	"":    {"play-host.md"},
	"tcp": {"play-host.md", "play-tcp.md"},
	"ip6": {"play-host.md", "play-ip6.md"},
	"all": {"play-host.md", "answer-pings.md", "play-tcp.md", "play-ip6.md"},
}

func playHost(now session.Status, arguments map[string]string) (string, error) {
	guides, ok := hostGuides[arguments["guides"]]
	if !ok {
		return "", fmt.Errorf("guides is %s; accepted: tcp, ip6 or all, or nothing", tools.Quote(arguments["guides"]))
	}
	head := fmt.Sprintf("You are the host %s on this link; the peer is %s. Answer what comes, %s. Then say what you answered and how long your answers took (tun://status has the times).", addresses(now), peers(now), untilTold)
	switch tools.Assist(now.Assist) { // the guide that overrides the others comes first
	case tools.AssistNone:
		guides = append([]string{"no-summary.md", "by-hand.md"}, guides...)
	case tools.AssistCheck:
		guides = append([]string{"by-hand.md"}, guides...)
	}
	if !slices.Contains(guides, "play-tcp.md") {
		head += readWhen("TCP segment", "play-tcp.md")
	}
	if !slices.Contains(guides, "play-ip6.md") && now.Agent6 != "" {
		head += readWhen("IPv6 packet", "play-ip6.md")
	}
	return withGuides(head, guides...), nil
}

// readWhen tells the agent to read a guide only when it needs it, since each costs about
// 1,500 tokens.
func readWhen(first, guide string) string {
	return fmt.Sprintf(" When the first %s comes, read the resource tun://docs/%s.", first, guide)
}

// withGuides returns a first paragraph followed by whole guides.
func withGuides(head string, guides ...string) string {
	for _, name := range guides {
		guide, err := docs.Files.ReadFile(name)
		if err != nil { // addPrompts has checked that every guide exists
			panic(err)
		}
		head += "\n\n" + strings.TrimSuffix(string(guide), "\n")
	}
	return head + "\n"
}
