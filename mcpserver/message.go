package mcpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// message is what has to be known of a JSON-RPC message to take it up. The rest
// is mcp-go's business.
type message struct {
	ID     json.RawMessage `json:"id"` // empty: a notification
	Method string          `json:"method"`
	Params struct {
		RequestID json.RawMessage `json:"requestId"`
		Meta      json.RawMessage `json:"_meta"`
	} `json:"params"`
	Result json.RawMessage `json:"result"` // an answer's, or
	Error  json.RawMessage `json:"error"`

	request bool   // it wants an answer
	key     string // a request's: what its id is known by
}

// revision is the protocol revision that a message names, empty if it names
// none: read as mcp-go does, which takes the key in no other letter case.
func (m message) revision() string {
	var meta mcp.Meta
	_ = json.Unmarshal(m.Params.Meta, &meta) // what is no object names none
	return meta.ProtocolVersion()
}

// parseMessage takes one message apart. Of one that is refused, ID is what an
// answer can name: nothing if that is not known.
func parseMessage(text []byte) (message, *refusal) {
	var m message
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text) {
		return m, &refusal{mcp.INVALID_REQUEST, "this is no JSON object: send each JSON-RPC message by itself, batches are not served"}
	}
	var typeError *json.UnmarshalTypeError // mcp-go words what is mistyped
	if err := json.Unmarshal(text, &m); err != nil && !errors.As(err, &typeError) {
		return message{}, &refusal{mcp.PARSE_ERROR, "this is no JSON-RPC message: " + err.Error()}
	}
	var why *refusal
	if len(m.ID) > 0 {
		if m.key, why = keyOf(m.ID); why != nil {
			return message{}, why
		}
		m.request = m.Method != "" // else it is an answer, or neither
	}
	// A decoder would put other characters in place of these, without a word.
	if at := invalidUTF8(text); at >= 0 {
		return m, &refusal{mcp.PARSE_ERROR, fmt.Sprintf("the message is not UTF-8: byte %d is 0x%02x; send text as UTF-8, and bytes of packets as hex", at, text[at])}
	}
	if m.Method == "" && m.Result == nil && m.Error == nil {
		return m, &refusal{mcp.INVALID_REQUEST, "the method is missing, empty or not a string"}
	}
	if m.Method == string(mcp.MethodPromptsGet) {
		return m, refusePrompt(text)
	}
	return m, nil
}

// invalidUTF8 returns where b ceases to be UTF-8, -1 if it is to its end.
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

// keyOf returns what a request of that id is known by: the same for 1 and 1.0,
// another for "1". The id in an answer is made from a float64, so a number that
// is none exactly could not be answered.
func keyOf(id json.RawMessage) (string, *refusal) {
	var value any
	if err := json.Unmarshal(id, &value); err == nil {
		switch v := value.(type) {
		case string:
			return strconv.Quote(v), nil
		case float64:
			if math.Abs(v) < 1<<53 {
				return strconv.FormatFloat(v, 'f', -1, 64), nil
			}
		}
	}
	if len(id) > 64 {
		id = append(id[:64:64], "…"...)
	}
	return "", &refusal{mcp.INVALID_REQUEST, fmt.Sprintf("the id is %s: accepted is a string, or a number below 2^53", id)}
}
