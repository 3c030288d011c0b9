package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// EndRequest is the body of POST /end.
type EndRequest struct {
	Why string `json:"why"` // one line, shown to the agent
}

// maxWhy is the longest reason for an end, in bytes.
const maxWhy = 200

// postEnd ends the link. The server keeps running and tells its agent the
// reason.
func (c *Server) postEnd(w http.ResponseWriter, r *http.Request) {
	var request EndRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&request); err != nil {
		http.Error(w, fmt.Sprintf("end: the body is not {\"why\": \"…\"}: %v", err), http.StatusBadRequest)
		return
	}
	unprintable := func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }
	if request.Why == "" || len(request.Why) > maxWhy || strings.ContainsFunc(request.Why, unprintable) {
		http.Error(w, fmt.Sprintf("end: \"why\" takes one printable line of 1 to %d bytes", maxWhy), http.StatusBadRequest)
		return
	}
	if err := c.session.End(request.Why); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, EndReply{End: c.end()})
}

// End ends the session's link. Its agent is shown the reason, one line of at
// most 200 bytes. The server runs until its own client ends it.
func (c *Client) End(ctx context.Context, why string) error {
	return c.do(ctx, http.MethodPost, "/end", EndRequest{Why: why}, new(EndReply))
}
