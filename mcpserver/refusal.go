package mcpserver

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"
)

// refusal is the reason to refuse a message: a JSON-RPC code and a text.
type refusal struct {
	code int
	text string
}

// tooMany refuses a request because too many are in progress.
var tooMany = &refusal{mcp.INTERNAL_ERROR, fmt.Sprintf("%d requests are in progress, which is the limit: wait for one to end", maxRequests)}

// inUse refuses a request with the id of another one in progress, since their answers
// and cancellations could not be told apart.
func inUse(key string) *refusal {
	id := unquoted(key)
	if text, err := strconv.Unquote(key); err == nil {
		id = quote(text)
	}
	return &refusal{mcp.INVALID_REQUEST, fmt.Sprintf("a request with the id %s is in progress: give each request its own id", id)}
}

// answer returns the JSON-RPC error for a message with this id. Without an id it is
// null (JSON-RPC 2.0, section 5).
func (r *refusal) answer(id json.RawMessage) mcp.JSONRPCError {
	var given any
	_ = json.Unmarshal(id, &given)
	return mcp.NewJSONRPCError(mcp.NewRequestId(given), r.code, r.text, nil)
}
