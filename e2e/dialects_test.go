//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// dialect gives the scripted model another API: it translates requests into the shape
// of the Messages API, and answers in its own format.
type dialect struct {
	*model
	path string // part of the path of a request to the model
	read func(body []byte) (ask, error)
	say  func(w io.Writer, s speech)
}

// startDialect serves the scripted model in a dialect. After a write, the model waits
// up to then milliseconds for the next packet.
func startDialect(t *testing.T, d dialect, then int) *model {
	t.Helper()
	d.model = startModel(t, 1)
	d.then = then
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d.model
}

func (d dialect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.Contains(r.URL.Path, d.path) || r.URL.Host != "" {
		d.model.ServeHTTP(w, r) // it records and refuses other requests
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a, err := d.read(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	d.say(w, d.answer(a))
}

// content returns a message's content with one block, in the shape of the Messages API.
func content(kind, text string) json.RawMessage {
	data, _ := json.Marshal([]map[string]any{{"type": kind, "text": text, "content": text}}) // plain values
	return data
}

func (a *ask) add(role, kind, text string) {
	a.Messages = append(a.Messages, struct {
		Role    string
		Content json.RawMessage
	}{role, content(kind, text)})
}

func (a *ask) declare(name, description string, schema json.RawMessage) {
	a.Tools = append(a.Tools, struct {
		Name, Description string
		InputSchema       json.RawMessage `json:"input_schema"`
	}{name, description, schema})
}

// texts joins the texts of a content, which is a string or blocks.
func texts(content json.RawMessage) string {
	var all []string
	for _, b := range blocks(content) {
		all = append(all, b.Text)
	}
	return strings.Join(all, "\n")
}

// responses is OpenAI's Responses API as Codex CLI uses it. The tools of a server are
// one namespace, described by the server's instructions.
var responses = dialect{
	path: "/responses",
	read: func(body []byte) (a ask, err error) {
		var request struct {
			Tools []struct {
				Type, Name, Description string
				Tools                   []struct {
					Name, Description string
					Parameters        json.RawMessage
				}
			}
			Input []struct {
				Type, Role      string
				Content, Output json.RawMessage
			}
		}
		err = json.Unmarshal(body, &request)
		for _, space := range request.Tools {
			if space.Name == "mcp__tun" {
				a.System = content("text", space.Description)
				for _, tool := range space.Tools {
					a.declare(space.Name+"__"+tool.Name, tool.Description, tool.Parameters)
				}
			}
		}
		for _, item := range request.Input {
			switch item.Type {
			case "message":
				a.add(item.Role, "text", texts(item.Content))
			case "function_call":
				a.add("assistant", "text", "")
			case "function_call_output":
				a.add("user", "tool_result", texts(item.Output))
			}
		}
		return a, err
	},
	say: func(w io.Writer, s speech) {
		item := map[string]any{"type": "message", "role": "assistant", "id": "m", "content": []any{map[string]any{"type": "output_text", "text": s.text}}}
		if s.tool != "" {
			name := strings.TrimPrefix(s.tool, "mcp__tun__")
			item = map[string]any{"type": "function_call", "id": "f", "call_id": callID(), "namespace": "mcp__tun", "name": name, "arguments": s.arguments}
		}
		for _, event := range []map[string]any{
			{"type": "response.created", "response": map[string]any{"id": "r"}},
			{"type": "response.output_item.done", "item": item},
			{"type": "response.completed", "response": map[string]any{"id": "r", "usage": map[string]any{"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}},
		} {
			data, _ := json.Marshal(event) // plain values
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event["type"], data)
		}
	},
}

// generateContent is Google's API as Gemini CLI uses it.
var generateContent = dialect{
	path: "GenerateContent",
	read: func(body []byte) (a ask, err error) {
		var request struct {
			Tools []struct {
				FunctionDeclarations []struct {
					Name, Description    string
					ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
				}
			}
			Contents []struct {
				Role  string
				Parts []struct {
					Text             string
					FunctionResponse *struct {
						Response struct{ Output, Error string }
					}
				}
			}
		}
		err = json.Unmarshal(body, &request)
		for _, tools := range request.Tools {
			for _, tool := range tools.FunctionDeclarations {
				if name, ok := strings.CutPrefix(tool.Name, "mcp_tun_"); ok {
					a.declare("mcp__tun__"+name, tool.Description, tool.ParametersJSONSchema)
				}
			}
		}
		for _, c := range request.Contents {
			role := strings.Replace(c.Role, "model", "assistant", 1)
			for _, part := range c.Parts {
				if r := part.FunctionResponse; r != nil {
					a.add(role, "tool_result", r.Response.Output+r.Response.Error)
				} else {
					a.add(role, "text", part.Text)
				}
			}
		}
		return a, err
	},
	say: func(w io.Writer, s speech) {
		part := map[string]any{"text": s.text}
		if s.tool != "" {
			var arguments map[string]any
			_ = json.Unmarshal([]byte(s.arguments), &arguments) // the script's own JSON
			arguments["wait_for_previous"] = true               // Gemini CLI adds this to each tool's schema
			part = map[string]any{"functionCall": map[string]any{"name": strings.Replace(s.tool, "mcp__tun__", "mcp_tun_", 1), "args": arguments}}
		}
		data, _ := json.Marshal(map[string]any{ // plain values
			"candidates":    []any{map[string]any{"content": map[string]any{"role": "model", "parts": []any{part}}, "finishReason": "STOP", "index": 0}},
			"usageMetadata": map[string]any{"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}})
		fmt.Fprintf(w, "data: %s\n\n", data)
	},
}
