package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// exchange serves HTTP requests through mcp-go. It first applies the limits that
// mcp-go lacks, and keeps clients apart where mcp-go would mix them up.
type exchange struct {
	server   *server.MCPServer
	bodies   *bodies
	sessions *sessions
	calls    *openCalls
	protocol *server.StreamableHTTPServer
}

func (e *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer watching(r.Context())()
	if name, ok := oddHeader(r.Header); !ok {
		refuse(w, r, http.StatusBadRequest, "%s is %s; accepted: up to 256 printable ASCII characters", name, quote(r.Header.Get(name)))
		return
	}
	session := r.Header.Get(mcp.HeaderSessionID)
	modern := mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion))
	switch r.Method {
	case http.MethodPost:
		e.post(w, r, session, modern)
	case http.MethodDelete:
		if modern { // mcp-go refuses it, since this revision has no sessions
			e.protocol.ServeHTTP(w, r)
			return
		}
		done, ok := e.use(w, r, session)
		if !ok {
			return
		}
		defer done()
		e.protocol.ServeHTTP(w, r)
		e.calls.leave(session)
	default: // also GET, which means that there is no stream
		w.Header().Set("Allow", "POST, DELETE")
		refuse(w, r, http.StatusMethodNotAllowed, "the HTTP method is %s; accepted: POST and DELETE; this server has no stream to GET", quote(r.Method))
	}
}

// use marks a session as in use until done is called. If the session or the revision is
// unknown, use answers the request with an error and returns ok false.
func (e *exchange) use(w http.ResponseWriter, r *http.Request, session string) (done func(), ok bool) {
	// mcp-go checks this too, but only after a request has had an effect here.
	if revision := r.Header.Get(mcp.HeaderProtocolVersion); revision != "" && !mcp.IsValidProtocolVersion(revision) {
		refuse(w, r, http.StatusBadRequest, "%s is %s; accepted: %s", mcp.HeaderProtocolVersion, quote(revision), strings.Join(mcp.ValidProtocolVersions, ", "))
		return nil, false
	}
	if session == "" {
		refuse(w, r, http.StatusBadRequest, "the header %s is missing: send initialize first, then the session id from its answer", mcp.HeaderSessionID)
		return nil, false
	}
	if done, ok = e.sessions.use(session); !ok {
		refuse(w, r, http.StatusNotFound, "no session has this %s: it was idle for too long, or the server was restarted; send initialize", mcp.HeaderSessionID)
	}
	return done, ok
}

// post serves a POST, which has one message.
func (e *exchange) post(w http.ResponseWriter, r *http.Request, session string, modern bool) {
	// mcp-go checks this too, but only after a request has had an effect here.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuse(w, r, http.StatusBadRequest, "the Content-Type is %s; accepted: application/json", quote(r.Header.Get("Content-Type")))
		return
	}
	body, held, ok := e.bodies.read(w, r)
	if !ok {
		return
	}
	defer held.release()
	m, why := parseMessage(e.server, body)
	if m.answer { // this server asked nothing, and an answer gets no answer
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if modern = modern || mcp.IsModernProtocol(m.Revision); modern {
		session = "" // this revision has no sessions
	}
	if why != nil {
		decline(w, r, modern, m, why)
		return
	}
	if !held.resize(cost(body)) {
		w.Header().Set("Retry-After", "1")
		refuse(w, r, http.StatusServiceUnavailable, "%s", noMemory.text)
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(m.Frame)), int64(len(m.Frame))

	switch {
	case modern:
	case m.request && m.Method == string(mcp.MethodInitialize):
		session = ""
	default:
		done, ok := e.use(w, r, session)
		if !ok {
			return
		}
		defer done()
	}
	if m.request {
		e.call(w, r, session, modern, m)
		return
	}
	if m.Method != string(mcp.MethodNotificationCancelled) {
		e.protocol.ServeHTTP(w, r)
		return
	}
	// Without sessions, clients may use the same ids, so only closing the connection
	// cancels. mcp-go would cancel any client's request.
	if key, why := keyOf(m.RequestID); why == nil && !modern {
		e.calls.cancel(callID{session, key})
	}
	w.WriteHeader(http.StatusAccepted)
}

// call serves a message that is a request.
func (e *exchange) call(w http.ResponseWriter, r *http.Request, session string, modern bool, m message) {
	ctx, done, why := e.calls.begin(r.Context(), callID{session, m.key})
	switch why {
	case nil:
	case tooMany:
		w.Header().Set("Retry-After", "1")
		refuse(w, r, http.StatusServiceUnavailable, "%s", why.text)
		return
	default:
		decline(w, r, modern, m, why)
		return
	}
	defer done()
	defer serving(ctx)()
	if !modern && m.Method == string(mcp.MethodInitialize) { // may end another session, so only now
		id, done, ok := e.sessions.add(m.Apps)
		if !ok {
			w.Header().Set("Retry-After", "10")
			refuse(w, r, http.StatusServiceUnavailable, "%d sessions are open, which is the limit, and none has been idle for %v: try again after that time", maxSessions, quietSession)
			return
		}
		defer func() { done(w.Header().Get(mcp.HeaderSessionID) == id) }()
		ctx = context.WithValue(ctx, addedKey{}, id)
	}
	if m.Apps || e.sessions.showsApps(session) {
		ctx = withApps(ctx)
	}
	if m.Method == string(mcp.MethodToolsCall) {
		slow, end := answerSlowly(w, r)
		defer end()
		w = slow
	}
	if m.Method == string(mcp.MethodSubscriptionsListen) {
		ctx, w = answerSubscription(ctx, w)
	}
	e.protocol.ServeHTTP(w, r.WithContext(withArguments(ctx, m.Arguments)))
}

// oddHeader returns the name of the first header that mcp-go may repeat in an answer
// and that is too long or not printable ASCII. ok is true if there is none.
func oddHeader(header http.Header) (name string, ok bool) {
	for _, name := range []string{mcp.HeaderProtocolVersion, mcp.HeaderMethod, mcp.HeaderName} {
		value := header.Get(name)
		if decoded, ok := mcp.DecodeHeaderValue(value); ok { // it may be in Base64
			value = decoded
		}
		if len(value) > longestID || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
			return name, false
		}
	}
	return "", true
}

// decline answers a refused message with a JSON-RPC error. Before revision 2026-07-28
// the HTTP status is an error only if the message is malformed, not if its request is
// wrong.
func decline(w http.ResponseWriter, r *http.Request, modern bool, m message, why *refusal) {
	slog.Debug("a message over HTTP was refused", "from", r.RemoteAddr, "code", why.code, "reason", why.text)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case modern && why.code == mcp.METHOD_NOT_FOUND:
		w.WriteHeader(http.StatusNotFound)
	case modern, !m.request, why.code == mcp.INVALID_REQUEST, why.code == mcp.PARSE_ERROR:
		w.WriteHeader(http.StatusBadRequest)
	}
	_ = json.NewEncoder(w).Encode(why.answer(m.ID)) // fails only if the client has left
}
