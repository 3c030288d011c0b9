package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/tools"
)

const (
	// longestID is the longest id, in bytes as sent, since ids are kept and repeated
	// in answers.
	longestID = 256

	// maxValues is the most JSON values in a message: enough for 64 packets with
	// 200 patches each.
	maxValues = 16384

	// longestFrame and maxFrameValues limit a message without its tool arguments,
	// in bytes and JSON values. mcp-go decodes this part several times and keeps
	// some of it until the session ends.
	longestFrame   = 64 << 10
	maxFrameValues = 1024
)

// message is a JSON-RPC message, parsed once. Names are case-sensitive, and the last
// of duplicate members counts, so all code reads a message in the same way.
type message struct {
	ID        json.RawMessage // empty for a notification
	Method    string
	RequestID json.RawMessage // for a cancellation: the id of the request to cancel
	Arguments json.RawMessage // for tools/call: the arguments, which mcp-go does not get
	Revision  string          // the protocol revision in _meta, or ""
	Apps      bool            // whether it names the extension MCP Apps

	// Frame is the message for mcp-go, with only the params that it needs.
	Frame []byte

	request bool   // whether it needs an answer
	answer  bool   // whether it is an answer, which never gets one, not even an error
	key     string // for a request: the id in canonical form, see keyOf
}

// parseMessage parses a message for s. If the message is refused, ID is the id for the
// refusal, or empty if there is none.
func parseMessage(s *server.MCPServer, line []byte) (message, *refusal) {
	var m message
	line = bytes.TrimSpace(line)
	if !json.Valid(line) {
		var any json.RawMessage
		why := strings.Map(func(c rune) rune { // it may have a byte of the line in it, as a character
			if c > '~' {
				return '?'
			}
			return c
		}, json.Unmarshal(line, &any).Error())
		return m, &refusal{mcp.PARSE_ERROR, "not a JSON-RPC message: " + why}
	}
	if line[0] != '{' {
		return m, &refusal{mcp.INVALID_REQUEST, "not a JSON object: send each JSON-RPC message by itself, batches are not supported"}
	}
	var version, method, params, id json.RawMessage
	members(line, func(name []byte, value json.RawMessage) {
		switch string(name) {
		case "jsonrpc":
			version = value
		case "id":
			id = value
		case "method":
			method = value
		case "params":
			params = value
		case "result", "error":
			m.answer = true
		}
	})
	m.Method = text(method)
	if m.answer = m.answer && m.Method == ""; m.answer { // this server sends no requests
		return m, nil
	}
	if len(id) > 0 {
		m.request = m.Method != ""
		var why *refusal
		if m.key, why = keyOf(id); why != nil {
			return m, why
		}
		m.ID = id
	}
	if count := values(line); count > maxValues {
		return m, &refusal{mcp.INVALID_REQUEST, fmt.Sprintf("the message has %d JSON values; accepted: up to %d; write fewer packets in a call", count, maxValues)}
	}
	// A decoder would silently replace invalid bytes.
	if at := invalidUTF8(line); at >= 0 {
		return m, &refusal{mcp.PARSE_ERROR, fmt.Sprintf("the message is not UTF-8: byte %d is 0x%02x; send text as UTF-8, and bytes of packets as hex", at, line[at])}
	}
	if m.Method == "" {
		return m, &refusal{mcp.INVALID_REQUEST, "the method is missing, empty or not a string"}
	}
	if string(version) != `"2.0"` {
		return m, &refusal{mcp.INVALID_REQUEST, fmt.Sprintf(`jsonrpc is %s; accepted: "2.0"`, shown(version))}
	}
	return m, m.takeParams(s, params)
}

// invalidUTF8 returns the offset at which b stops being valid UTF-8, or -1.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && size < 2 {
			return at
		}
		at += size
	}
}

// keyOf returns the canonical form of an id, the same for 1 and 1.0, but another for
// "1". mcp-go answers with a decoded id, so an id that decoding changes is refused.
func keyOf(id json.RawMessage) (string, *refusal) {
	if len(id) > longestID {
		return "", &refusal{mcp.INVALID_REQUEST, fmt.Sprintf("the id has %d bytes; accepted: up to %d, a string or a number below 2^53", len(id), longestID)}
	}
	if len(id) > 0 && len(id) < 16 && (id[0] != '0' || len(id) == 1) && len(bytes.Trim(id, "0123456789")) == 0 {
		return string(id), nil // what clients send: a small number
	}
	var value any
	if err := json.Unmarshal(id, &value); err == nil {
		number, isNumber := value.(float64)
		_, isText := value.(string)
		switch {
		case !isText && (!isNumber || math.Abs(number) >= 1<<53):
		case !survives(id, value):
			return "", &refusal{mcp.INVALID_REQUEST, fmt.Sprintf("the id is %s, which an answer would change; accepted: a string of whole characters, or a number below 2^53 with up to 15 digits", shown(id))}
		case isText:
			return strconv.Quote(value.(string)), nil
		default:
			return strconv.FormatFloat(number+0, 'f', -1, 64), nil // -0 is 0
		}
	}
	return "", &refusal{mcp.INVALID_REQUEST, fmt.Sprintf("the id is %s; accepted: a string, or a number below 2^53", shown(id))}
}

// shown formats a JSON value from a client for an error: short and in ASCII.
func shown(value json.RawMessage) string {
	switch {
	case len(value) == 0:
		return "missing"
	case value[0] == '"':
		return quote(text(value))
	case len(value) > 40 && value[0] == '{':
		return "an object"
	case len(value) > 40 && value[0] == '[':
		return "an array"
	}
	return unquoted(string(value))
}

// quote formats a text from a client for an error: quoted, short and in ASCII.
func quote(text string) string { return tools.Quote(text) }

// unquoted is like quote, but without the quotes, for names and types.
func unquoted(text string) string {
	text = strings.Trim(tools.Quote(text), `"`)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text)
}

// plain reports whether a text from a client may be returned unchanged.
func plain(text string) bool { return quote(text) == `"`+text+`"` }
