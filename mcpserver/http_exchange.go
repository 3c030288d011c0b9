package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// exchange is one HTTP request and its answer, which mcp-go gives. What it does
// not bound, or would confuse between clients, is dealt with before.
type exchange struct {
	bodies   *bodies
	sessions *sessions
	calls    *openCalls
	protocol *server.StreamableHTTPServer
}

func (e *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session := r.Header.Get(mcp.HeaderSessionID)
	modern := mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion))
	switch r.Method {
	case http.MethodPost:
		e.post(w, r, session, modern)
	case http.MethodDelete:
		if !modern {
			done, ok := e.use(w, r, session)
			if !ok {
				return
			}
			defer done()
			e.calls.leave(session)
		}
		e.protocol.ServeHTTP(w, r)
	default: // GET, too: the transport's way to say that there is no stream
		w.Header().Set("Allow", "POST, DELETE")
		refuse(w, r, http.StatusMethodNotAllowed, "%s: accepted are POST and DELETE; this server sends nothing unasked", r.Method)
	}
}

// use takes a session into use; if there is none of that id it has answered.
func (e *exchange) use(w http.ResponseWriter, r *http.Request, session string) (done func(), ok bool) {
	if session == "" {
		refuse(w, r, http.StatusBadRequest, "no %s header came: send initialize first, then the session that it gives", mcp.HeaderSessionID)
		return nil, false
	}
	if done, ok = e.sessions.use(session); !ok {
		refuse(w, r, http.StatusNotFound, "no session has this %s: it was idle for long, or the server was started again; send initialize", mcp.HeaderSessionID)
	}
	return done, ok
}

func (e *exchange) post(w http.ResponseWriter, r *http.Request, session string, modern bool) {
	body, release, ok := e.bodies.read(w, r)
	if !ok {
		return
	}
	defer release()
	m, why := parseMessage(body)
	if modern = modern || mcp.IsModernProtocol(m.revision()); modern {
		session = "" // to be ignored
	}
	if why != nil {
		decline(w, r, modern, m.ID, why)
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))

	switch {
	case modern:
	case m.Method == string(mcp.MethodInitialize):
		session = ""
		id, done, ok := e.sessions.add()
		if !ok {
			w.Header().Set("Retry-After", "10")
			refuse(w, r, http.StatusServiceUnavailable, "%d sessions are open, that is the most, and none was idle for %v: try again then", mostSessions, quietSession)
			return
		}
		defer func() { done(w.Header().Get(mcp.HeaderSessionID) == id) }()
		r = r.WithContext(context.WithValue(r.Context(), addedKey{}, id))
	default:
		done, ok := e.use(w, r, session)
		if !ok {
			return
		}
		defer done()
	}
	if !m.request {
		if m.Method == string(mcp.MethodNotificationCancelled) {
			if key, why := keyOf(m.Params.RequestID); why == nil {
				e.calls.cancel(callID{session, key})
			}
			if modern { // mcp-go would take any client's request of that id
				w.WriteHeader(http.StatusAccepted)
				return
			}
		}
		e.protocol.ServeHTTP(w, r)
		return
	}
	ctx, done, why := e.calls.begin(r.Context(), callID{session, m.key})
	switch why {
	case nil:
	case tooMany:
		w.Header().Set("Retry-After", "1")
		refuse(w, r, http.StatusServiceUnavailable, "%s", why.why)
		return
	default:
		decline(w, r, modern, m.ID, why)
		return
	}
	defer done()
	defer serving(ctx)()
	if m.Method == string(mcp.MethodToolsCall) {
		slow, end := answerSlowly(w, r)
		defer end()
		w = slow
	}
	e.protocol.ServeHTTP(w, r.WithContext(ctx))
}

// decline answers a message that is not served, with the reason as an error of
// JSON-RPC. Before revision 2026-07-28 the status says only that a message could
// not be taken, not that what it asks for is wrong.
func decline(w http.ResponseWriter, r *http.Request, modern bool, id json.RawMessage, why *refusal) {
	slog.Debug("a message over HTTP was refused", "from", r.RemoteAddr, "code", why.code, "reason", why.why)
	w.Header().Set("Content-Type", "application/json")
	if modern || why.code != mcp.INVALID_PARAMS {
		w.WriteHeader(http.StatusBadRequest)
	}
	_ = json.NewEncoder(w).Encode(why.answer(id)) // a client that has gone need not know
}
