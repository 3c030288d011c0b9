//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// model is a scripted model. On a loopback port it serves the part of the Messages API
// that Claude Code needs, and it plays the agent without thinking time. Like the
// scripted agent it knows only the tool results. It keeps the client's requests for the
// tests. It is also the client's proxy, so that requests that would leave the machine
// are seen and refused.
type model struct {
	url string

	mu    sync.Mutex                 // guards the fields below
	wait  int                        // timeout_ms of the first read
	then  int                        // and of the reads after a write
	stays bool                       // keep reading while nothing comes, until the link has ended
	tool  string                     // the client's prefix of a tool's name
	moves func(result string) speech // if not nil, replaces the agent's rules; result is "" at the start
	agent scripted                   // its rules, and how many pings it answered
	turns []turn                     // the agent's turns, without the client's other requests
	other []string                   // method and path of all other requests
	asked chan struct{}
}

// turn is one request of the client that offers tools.
type turn struct {
	ask  ask
	said string // the tool that the model called, with its arguments, or its text
}

// ask is the part of a request to POST /v1/messages that the model needs.
type ask struct {
	Stream bool
	System json.RawMessage
	Tools  []struct {
		Name, Description string
		InputSchema       json.RawMessage `json:"input_schema"`
	}
	Messages []struct {
		Role    string
		Content json.RawMessage
	}
}

// block is one piece of a message's content.
type block struct {
	Type, Text string
	IsError    bool `json:"is_error"`
	Content    json.RawMessage
}

// startModel serves a scripted model that answers up to batch packets a call.
func startModel(t testing.TB, batch int) *model {
	m := &model{wait: 60000, then: 3000, tool: "mcp__tun__", agent: scripted{batch: batch}, asked: make(chan struct{}, 1000)}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// set changes the model's fields.
func (m *model) set(change func(*model)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/messages" || r.URL.Host != "" {
		m.mu.Lock()
		m.other = append(m.other, r.Method+" "+r.RequestURI)
		m.mu.Unlock()
		if r.URL.Path == "/v1/messages/count_tokens" {
			fmt.Fprintf(w, `{"input_tokens":%d}`, len(body)/4)
			return
		}
		http.NotFound(w, r)
		return
	}
	var a ask
	if err := json.Unmarshal(body, &a); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	say(w, a.Stream, m.answer(a))
}

// speech is an answer of the model: a tool call, or else a text.
type speech struct{ tool, arguments, text string }

// answer returns the model's answer to a request.
func (m *model) answer(a ask) speech {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(a.Tools) == 0 { // a title for the session, or a similar request of the client
		m.other = append(m.other, "POST /v1/messages without tools")
		return speech{text: "pings"}
	}
	s := m.next(a)
	said := s.text
	if s.tool != "" {
		said = s.tool + " " + s.arguments
	}
	m.turns = append(m.turns, turn{ask: a, said: said})
	m.asked <- struct{}{}
	return s
}

var untilAnswered = regexp.MustCompile(`until you have answered (\d+)`)

// next returns the agent's next move, by the rules of scripted.
func (m *model) next(a ask) speech {
	const then = `{"timeout_ms":%d,"max_packets":%d,"settle_ms":0,"max_bytes":32}`
	result, failed, ok := a.lastResult()
	switch {
	case m.moves != nil && !failed:
		return m.moves(result)
	case !ok: // a new prompt
		m.agent.answered = 0
		return speech{tool: m.tool + "read_packet", arguments: fmt.Sprintf(then, m.wait, m.agent.batch)}
	case m.stays && strings.Contains(result, "the link has ended: the trial is over. No more packets will come"):
		return speech{text: fmt.Sprintf("I answered %d packets.", m.agent.answered)}
	case failed:
		m.agent.faults = append(m.agent.faults, result)
		return speech{text: "The tool failed: " + result}
	}
	replies := m.agent.replies(result)
	if replies == "" && m.stays {
		return speech{tool: m.tool + "read_packet", arguments: fmt.Sprintf(then, m.then, m.agent.batch)}
	}
	if replies == "" {
		return speech{text: fmt.Sprintf("I answered %d pings; then: %s", m.agent.answered, result)}
	}
	call := `{"packets":[` + replies + `]`
	if limit := a.limit(); limit == 0 || m.agent.answered < limit {
		call += `,"then_read":` + fmt.Sprintf(then, m.then, m.agent.batch)
	}
	return speech{tool: m.tool + "write_packet", arguments: call + "}"}
}

// limit returns how many pings to answer, from the last prompt with a number, or 0 for
// no limit.
func (a ask) limit() int {
	for _, message := range slices.Backward(a.Messages) {
		if found := untilAnswered.FindStringSubmatch(plain(message.Content)); message.Role == "user" && found != nil {
			n, _ := strconv.Atoi(found[1])
			return n
		}
	}
	return 0
}

// lastResult returns the tool result since the model's last answer, as the model sees
// it. The client may have added messages after it.
func (a ask) lastResult() (text string, failed, ok bool) {
	for _, message := range slices.Backward(a.Messages) {
		if message.Role == "assistant" {
			break
		}
		for _, b := range blocks(message.Content) {
			if b.Type == "tool_result" {
				return plain(b.Content), b.IsError, true
			}
		}
	}
	return "", false, false
}

// blocks returns the blocks of a message's content, which may also be a string.
func blocks(content json.RawMessage) []block {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return []block{{Type: "text", Text: text}}
	}
	var all []block
	_ = json.Unmarshal(content, &all) // content of another shape has no text
	return all
}

// plain returns the text in the content of a message or a tool result.
func plain(content json.RawMessage) string {
	var out strings.Builder
	for _, b := range blocks(content) {
		out.WriteString(b.Text)
	}
	return out.String()
}

// say writes a message like the Messages API, whole or as a stream.
func say(w http.ResponseWriter, stream bool, s speech) {
	content := map[string]any{"type": "text", "text": s.text}
	start := map[string]any{"type": "text", "text": ""}
	delta := map[string]any{"type": "text_delta", "text": s.text}
	why := "end_turn"
	if s.tool != "" {
		why = "tool_use"
		id := fmt.Sprintf("toolu_%d", time.Now().UnixNano())
		content = map[string]any{"type": "tool_use", "id": id, "name": s.tool, "input": json.RawMessage(s.arguments)}
		start = map[string]any{"type": "tool_use", "id": id, "name": s.tool, "input": map[string]any{}}
		delta = map[string]any{"type": "input_json_delta", "partial_json": s.arguments}
	}
	message := map[string]any{
		"id": fmt.Sprintf("msg_%d", time.Now().UnixNano()), "type": "message", "role": "assistant", "model": "scripted",
		"content": []any{}, "stop_reason": nil, "stop_sequence": nil,
		"usage": map[string]any{"input_tokens": 1, "output_tokens": 1},
	}
	if !stream {
		message["content"], message["stop_reason"] = []any{content}, why
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(message) // fails only if the client has gone
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, event := range []map[string]any{
		{"type": "message_start", "message": message},
		{"type": "content_block_start", "index": 0, "content_block": start},
		{"type": "content_block_delta", "index": 0, "delta": delta},
		{"type": "content_block_stop", "index": 0},
		{"type": "message_delta", "delta": map[string]any{"stop_reason": why, "stop_sequence": nil}, "usage": map[string]any{"output_tokens": 1}},
		{"type": "message_stop"},
	} {
		data, _ := json.Marshal(event) // cannot fail, since it has only plain values
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event["type"], data)
	}
}

// callID returns a new id for a tool call.
func callID() string { return fmt.Sprintf("call_%d", time.Now().UnixNano()) }
