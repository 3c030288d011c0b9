package mcpserver

import (
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
)

// refusal is why a message is not served, in words and as a code of JSON-RPC.
type refusal struct {
	code int
	why  string
}

// tooMany refuses a request beside all those that are under way.
var tooMany = &refusal{mcp.INTERNAL_ERROR, fmt.Sprintf("%d requests are under way, that is the most: wait for one to end", mostRequests)}

// inUse refuses a request beside one of the same id. Served, its end would be
// taken for the other's, and a cancellation would end either of the two.
func inUse(key string) *refusal {
	return &refusal{mcp.INVALID_REQUEST, fmt.Sprintf("a request with the id %s is under way: give each request an id of its own", key)}
}

// answer is what the client is told, by its message's id: null if there is none,
// as JSON-RPC 2.0 section 5 has it.
func (r *refusal) answer(id json.RawMessage) mcp.JSONRPCError {
	var given any
	_ = json.Unmarshal(id, &given)
	return mcp.NewJSONRPCError(mcp.NewRequestId(given), r.code, r.why, nil)
}
