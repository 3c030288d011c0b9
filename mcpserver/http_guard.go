package mcpserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard lets through who may ask. On loopback there is a browser on the same
// machine, in which any page of the world runs scripts: neither a name that was
// made to point here (DNS rebinding) nor a foreign page gets an answer.
type guard struct {
	loopback bool // bound to loopback, where the names of this server are known
	token    Token
	next     http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.loopback && !isLoopback(hostOf(r.Host)) {
		refuse(w, r, http.StatusForbidden, "Host %q: this server answers to localhost, 127.0.0.1 and [::1]", r.Host)
		return
	}
	if origins := r.Header.Values("Origin"); len(origins) > 1 || len(origins) == 1 && !g.knows(origins[0], r.Host) {
		refuse(w, r, http.StatusForbidden, "Origin %q: web pages from elsewhere may not use this server", strings.Join(origins, ", "))
		return
	}
	if r.URL.Path != EndpointPath {
		refuse(w, r, http.StatusNotFound, "the MCP endpoint is %s", EndpointPath)
		return
	}
	if g.token.Set() {
		// RFC 6750 sections 2.1 and 3.
		shown, ok := bearer(r.Header)
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tun-mcp"`)
			refuse(w, r, http.StatusUnauthorized, "this server wants a token: send the header Authorization: Bearer TOKEN")
			return
		}
		if !g.token.Is(shown) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tun-mcp", error="invalid_token"`)
			refuse(w, r, http.StatusUnauthorized, "that is not this server's token")
			return
		}
	}
	g.next.ServeHTTP(w, r)
}

// knows says whether a page of that origin may ask: one of this machine's own,
// or where the server is not on loopback one that came from the very same host.
// "null", the origin of pages that hide theirs, is neither.
func (g *guard) knows(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	if g.loopback {
		return isLoopback(u.Hostname())
	}
	return u.Host != "" && strings.EqualFold(u.Host, host)
}

// bearer returns the token that a request shows.
func bearer(header http.Header) (token string, ok bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// hostOf is a Host header without its port.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// isLoopback says whether a host name or address is this machine's loopback,
// without asking any name server.
func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// refuse answers with the reason. What the client sent goes to the log only as
// far as the reason names it: never its header.
func refuse(w http.ResponseWriter, r *http.Request, status int, format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	slog.Debug("an HTTP request was refused", "from", r.RemoteAddr, "status", status, "reason", why)
	http.Error(w, why, status)
}
