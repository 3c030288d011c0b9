package mcpserver_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/mcpserver"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

// status is the status of a link with everything that makes texts longer.
func status() session.Status {
	return session.Status{Agent: "10.77.0.2", Peer: "10.77.0.1/24", Agent6: "2001:db8:77::2", Peer6: "2001:db8:77::1/64", MTU: 1500, Assist: "fix"}
}

// newServer returns a server as main makes it, on a link without traffic.
func newServer(t *testing.T, status func() session.Status) *server.MCPServer {
	t.Helper()
	h := &tools.Host{Assist: tools.AssistFix, Status: status, Handlers: true}
	s, err := mcpserver.New(mcpserver.Config{Version: "test", Tools: h.All(), Status: status, Handler: func() string { return "no handler is installed" }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends one request and returns its result as JSON, or its error's text.
func ask(t *testing.T, s *server.MCPServer, method, params string) (result json.RawMessage, failure string) {
	t.Helper()
	message := `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
	switch answer := mcpserver.Handle(t.Context(), s, []byte(message)).(type) {
	case mcp.JSONRPCResponse:
		data, err := json.Marshal(answer.Result)
		if err != nil {
			t.Fatal(err)
		}
		return data, ""
	case mcp.JSONRPCError:
		return nil, answer.Error.Message
	default:
		t.Fatalf("%s: the answer is a %T", method, answer)
		return nil, ""
	}
}

// prompt returns the text of a prompt.
func prompt(t *testing.T, s *server.MCPServer, params string) string {
	t.Helper()
	result, failure := ask(t, s, "prompts/get", params)
	if failure != "" {
		t.Fatal(failure)
	}
	var got struct {
		Messages []struct{ Content struct{ Text string } }
	}
	if err := json.Unmarshal(result, &got); err != nil || len(got.Messages) != 1 {
		t.Fatalf("%v in %s", err, result)
	}
	return got.Messages[0].Content.Text
}

// TestBudget limits what the server costs every agent in tokens, counted in
// characters. Every session pays for the tools and instructions, and a prompt costs
// when it is used. Raise a ceiling only for something that is worth it to all agents.
func TestBudget(t *testing.T) {
	s := newServer(t, status)
	listed, failure := ask(t, s, "tools/list", `{}`)
	if failure != "" {
		t.Fatal(failure)
	}
	var list struct{ Tools json.RawMessage }
	if err := json.Unmarshal(listed, &list); err != nil {
		t.Fatal(err)
	}
	opened, failure := ask(t, s, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}`)
	if failure != "" {
		t.Fatal(failure)
	}
	var opening struct{ Instructions string }
	if err := json.Unmarshal(opened, &opening); err != nil {
		t.Fatal(err)
	}
	for _, item := range []struct {
		name    string
		text    string
		ceiling int // characters
	}{
		{"tool list", string(list.Tools), 6500},
		{"instructions", opening.Instructions, 1500},
		{"prompt answer-pings", prompt(t, s, `{"name":"answer-pings"}`), 4700},
		{"prompt play-host", prompt(t, s, `{"name":"play-host"}`), 4200},
		{"prompt write-handler", prompt(t, s, `{"name":"write-handler"}`), 5000},
		{"prompt play-host all", prompt(t, s, `{"name":"play-host","arguments":{"guides":"all"}}`), 16000},
	} {
		n := utf8.RuneCountInString(item.text)
		t.Logf("%s: %d of %d characters", item.name, n, item.ceiling)
		if n == 0 || n > item.ceiling {
			t.Errorf("%s: %d characters, want 1 to %d", item.name, n, item.ceiling)
		}
	}
}

// TestRefusedResource: the error names every resource of this server, tun://handler only
// if it has one.
func TestRefusedResource(t *testing.T) {
	without, err := mcpserver.New(mcpserver.Config{Version: "test", Status: status})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[*server.MCPServer]bool{newServer(t, status): true, without: false} {
		_, failure := ask(t, s, "resources/read", `{"uri":"tun://other"}`)
		if !strings.Contains(failure, "accepted: tun://status, ") || strings.Contains(failure, "tun://handler") != want {
			t.Error(failure)
		}
	}
}
