package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// MCP Apps (SEP-1865): a page that a client shows next to a tool's result.
const (
	appsExtension = "io.modelcontextprotocol/ui"
	appMIMEType   = "text/html;profile=mcp-app"
	appURI        = "ui://tun/ladder"
	appData       = "tun://ladder" // the page reads this, with a query
)

// appTemplate stands for appData with any query.
var appTemplate = mcp.NewResourceTemplate(appData+"{+query}", "ladder-data", mcp.WithTemplateMIMEType("application/json"))

// appTools are the tools that have the page.
var appTools = []string{"read_packet", "write_packet"}

// An App is a page for clients that show MCP Apps. The page can reach only its client,
// which reads this server's resources for it.
type App interface {
	HTML() string
	// Read returns the data for a query from the page, as JSON.
	Read(ctx context.Context, query url.Values) (string, error)
}

// errNoApps answers a client that reads what is there for pages, but shows none.
var errNoApps = errors.New("this resource is for clients that announce " + appsExtension)

// addApp declares the page and its data. The lists contain neither: clients find the
// page through the tools' metadata, and models do not need it.
func addApp(s *server.MCPServer, hooks *server.Hooks, app App) {
	s.AddResource(mcp.NewResource(appURI, "ladder", mcp.WithMIMEType(appMIMEType)),
		func(ctx context.Context, _ mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			if !showsApps(ctx) {
				return nil, errNoApps
			}
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: appURI, MIMEType: appMIMEType, Text: app.HTML(),
				Meta: map[string]any{"ui": map[string]any{"prefersBorder": true}}}}, nil
		})
	s.AddResourceTemplate(appTemplate,
		func(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			if !showsApps(ctx) {
				return nil, errNoApps
			}
			u, err := url.Parse(request.Params.URI)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", appData, err)
			}
			text, err := app.Read(ctx, u.Query())
			return contents(request, "application/json", text), err
		})
	hooks.AddAfterListResources(func(_ context.Context, _ any, _ *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
		result.Resources = slices.DeleteFunc(result.Resources, func(r mcp.Resource) bool { return r.URI == appURI })
	})
	hooks.AddAfterListResourceTemplates(func(_ context.Context, _ any, _ *mcp.ListResourceTemplatesRequest, result *mcp.ListResourceTemplatesResult) {
		result.ResourceTemplates = []mcp.ResourceTemplate{}
	})
	hooks.AddAfterListTools(func(ctx context.Context, _ any, _ *mcp.ListToolsRequest, result *mcp.ListToolsResult) {
		for i, tool := range result.Tools {
			if showsApps(ctx) && slices.Contains(appTools, tool.Name) {
				result.Tools[i].Meta = withMember(tool.Meta, "ui", map[string]any{"resourceUri": appURI})
			}
		}
	})
	hooks.AddAfterInitialize(func(ctx context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		advertise(ctx, &result.Capabilities)
	})
	hooks.AddAfterDiscover(func(ctx context.Context, _ any, _ *mcp.DiscoverRequest, result *mcp.DiscoverResult) {
		advertise(ctx, &result.Capabilities)
	})
}

// advertise announces the extension to a client that has announced it.
func advertise(ctx context.Context, capabilities *mcp.ServerCapabilities) {
	if showsApps(ctx) {
		capabilities.Extensions = map[string]any{appsExtension: map[string]any{}}
	}
}

// withMember returns a copy of a tool's _meta with one more member. The original is
// shared by all clients.
func withMember(meta *mcp.Meta, name string, value any) *mcp.Meta {
	fields := map[string]any{name: value}
	for name, value := range meta.AdditionalFields {
		fields[name] = value
	}
	return &mcp.Meta{AdditionalFields: fields}
}

// announcesApps reports whether a client's capabilities announce MCP Apps with pages
// of appMIMEType.
func announcesApps(capabilities json.RawMessage) bool {
	if !bytes.Contains(capabilities, []byte(appsExtension)) {
		return false
	}
	var client struct {
		Extensions map[string]json.RawMessage `json:"extensions"`
	}
	var settings struct {
		MIMETypes []string `json:"mimeTypes"`
	}
	return json.Unmarshal(capabilities, &client) == nil &&
		json.Unmarshal(client.Extensions[appsExtension], &settings) == nil &&
		slices.Contains(settings.MIMETypes, appMIMEType)
}

type appsKey struct{}

// withApps returns a context that marks the client as showing MCP Apps.
func withApps(ctx context.Context) context.Context { return context.WithValue(ctx, appsKey{}, true) }

func showsApps(ctx context.Context) bool { return ctx.Value(appsKey{}) != nil }
