package mcpserver

import (
	"context"
	"fmt"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/docs"
	"github.com/tun-mcp/tun-mcp/session"
)

// addPrompts declares the prompts. Their texts are guides of docs, behind a
// first paragraph that says who the agent is here and when to stop.
func addPrompts(s *server.MCPServer, status func() session.Status) error {
	guide, err := docs.Files.ReadFile("answer-pings.md")
	if err != nil {
		return fmt.Errorf("reading the guide of the prompt answer-pings: %w", err)
	}
	prompt := mcp.NewPrompt("answer-pings",
		mcp.WithPromptTitle("Answer pings"),
		mcp.WithPromptDescription("Be the host on the link and answer its pings, every byte by yourself"),
		mcp.WithArgument("count", mcp.ArgumentDescription("how many pings to answer, then stop; default: until the user says stop")),
	)
	s.AddPrompt(prompt, func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		until := "until the user says stop, or three reads in a row bring nothing"
		if count := request.Params.Arguments["count"]; count != "" {
			n, err := strconv.Atoi(count)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("answer-pings: count is %q; accepted: a whole number from 1, for instance 20", count)
			}
			until = fmt.Sprintf("until you have answered %d", n)
		}
		now := status()
		head := fmt.Sprintf("You are the host %s on this link; the peer is %s. Answer its pings %s. Then say how many you answered and how long your answers took.\n\n", now.Agent, address(now.Peer), until)
		return mcp.NewGetPromptResult("Answer pings", []mcp.PromptMessage{
			mcp.NewPromptMessage(mcp.RoleUser, text(head+string(guide))),
		}), nil
	})
	return nil
}
