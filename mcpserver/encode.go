package mcpserver

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// encode returns a message as a line of JSON. It is json.Marshal and a newline, but
// mcp-go makes a map of a tool's result, encodes that, and then the encoder reads it
// again: a result that is one text is written directly.
func encode(message any) ([]byte, error) {
	if r, ok := message.(mcp.JSONRPCResponse); ok {
		if line := encodeText(r); line != nil {
			return line, nil
		}
	}
	line, err := json.Marshal(message)
	return append(line, '\n'), err
}

// encodeText encodes the answer to a tool call, or returns nil if it has more in it
// than one text.
func encodeText(r mcp.JSONRPCResponse) []byte {
	result, ok := r.Result.(*mcp.CallToolResult)
	if !ok || result == nil || len(result.Content) != 1 || result.Meta != nil || result.StructuredContent != nil ||
		len(result.RawStructuredContent) > 0 || len(result.InputRequests) > 0 || result.RequestState != "" ||
		strings.ContainsFunc(string(result.ResultType), func(c rune) bool { return c < 'a' || c > 'z' }) {
		return nil
	}
	content, ok := result.Content[0].(mcp.TextContent)
	if !ok || content.Meta != nil || content.Annotations != nil || content.Type != mcp.ContentTypeText || r.JSONRPC != mcp.JSONRPC_VERSION {
		return nil
	}
	id, err := json.Marshal(r.ID)
	if err != nil || !utf8.ValidString(content.Text) {
		return nil
	}
	line := make([]byte, 0, len(content.Text)+len(content.Text)/8+len(id)+128)
	line = append(append(line, `{"jsonrpc":"2.0","id":`...), id...)
	line = append(line, `,"result":{"content":[{"type":"text","text":"`...)
	line = append(appendEscaped(line, content.Text), `"}]`...)
	if result.IsError {
		line = append(line, `,"isError":true`...)
	}
	if result.ResultType != "" {
		line = append(append(append(line, `,"resultType":"`...), result.ResultType...), '"')
	}
	return append(line, "}}\n"...)
}

// appendEscaped appends valid UTF-8 as it stands inside a string of JSON, escaped as
// encoding/json does.
func appendEscaped(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	done := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0xe2 {
			continue
		}
		if c == 0xe2 { // begins U+2028 and U+2029, which end a line in JavaScript
			if next := s[i : i+3]; next == "\u2028" || next == "\u2029" {
				out = append(append(append(out, s[done:i]...), `\u202`...), hex[next[2]&0xf])
				i += 2
				done = i + 1
			}
			continue
		}
		out = append(append(out, s[done:i]...), '\\')
		done = i + 1
		switch c {
		case '"', '\\':
			out = append(out, c)
		case '\n':
			out = append(out, 'n')
		case '\r':
			out = append(out, 'r')
		case '\t':
			out = append(out, 't')
		case '\b':
			out = append(out, 'b')
		case '\f':
			out = append(out, 'f')
		default:
			out = append(out, 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(out, s[done:]...)
}
