package mcpserver

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Handle answers a message in the same way as the transports.
func Handle(ctx context.Context, s *server.MCPServer, text []byte) mcp.JSONRPCMessage {
	m, why := parseMessage(s, text)
	if why != nil {
		return why.answer(m.ID)
	}
	return s.HandleMessage(withArguments(ctx, m.Arguments), m.Frame)
}
