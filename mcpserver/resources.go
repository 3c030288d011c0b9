package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/docs"
)

const handlerURI = "tun://handler"

// addResources declares the status of the link and the guides.
func addResources(s *server.MCPServer, config Config) error {
	if config.Handler != nil {
		s.AddResource(
			mcp.NewResource(handlerURI, "handler",
				mcp.WithResourceDescription("The packet handler that is installed: counters, log, source"),
				mcp.WithMIMEType("text/plain")),
			func(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
				return contents(request, "text/plain", config.Handler()), nil
			})
	}
	s.AddResource(
		mcp.NewResource("tun://status", "status",
			mcp.WithResourceDescription("The link now: network, addresses, counters, response times"),
			mcp.WithMIMEType("application/json")),
		func(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			data, err := json.MarshalIndent(config.Status(), "", "  ")
			return contents(request, "application/json", string(data)), err
		})
	entries, err := docs.Files.ReadDir(".")
	if err != nil {
		return fmt.Errorf("listing the guides: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == handlerGuide && config.Handler == nil {
			continue // it is about a tool that this server does not have
		}
		data, err := docs.Files.ReadFile(entry.Name())
		if err != nil {
			return fmt.Errorf("reading the guide %s: %w", entry.Name(), err)
		}
		s.AddResource(
			mcp.NewResource("tun://docs/"+entry.Name(), entry.Name(),
				mcp.WithResourceDescription(heading(string(data))),
				mcp.WithMIMEType("text/markdown")),
			func(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
				return contents(request, "text/markdown", string(data)), nil
			})
	}
	return nil
}

// heading returns the first line of a guide without its "# ".
func heading(guide string) string {
	line, _, _ := strings.Cut(guide, "\n")
	return strings.TrimLeft(line, "# ")
}

func contents(request mcp.ReadResourceRequest, kind, text string) []mcp.ResourceContents {
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: request.Params.URI, MIMEType: kind, Text: text}}
}
