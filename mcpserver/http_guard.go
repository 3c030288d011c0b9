package mcpserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard lets only permitted requests through. A browser on this machine runs the
// scripts of any web page and can reach loopback. So guard refuses foreign names that
// resolve to this machine (DNS rebinding) and requests from foreign pages.
type guard struct {
	loopback bool // whether the server is on loopback, where its names are known
	token    Token
	next     http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.loopback && !isLoopback(hostOf(r.Host)) {
		refuse(w, r, http.StatusForbidden, "the Host is %s; accepted: localhost, 127.0.0.1 and [::1]", quote(r.Host))
		return
	}
	if origins := r.Header.Values("Origin"); len(origins) > 1 || len(origins) == 1 && !g.knows(origins[0], r.Host) {
		refuse(w, r, http.StatusForbidden, "the Origin is %s: web pages from elsewhere may not use this server", quote(strings.Join(origins, ", ")))
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
			refuse(w, r, http.StatusUnauthorized, "this server needs a token: send the header Authorization: Bearer TOKEN")
			return
		}
		if !g.token.Is(shown) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tun-mcp", error="invalid_token"`)
			refuse(w, r, http.StatusUnauthorized, "the token is not this server's token")
			return
		}
	}
	g.next.ServeHTTP(w, r)
}

// knows reports whether pages of this origin may send requests. On loopback that is a
// page from this machine; otherwise it is a page from the same host as the request.
// "null", which stands for a hidden origin, is never accepted.
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

// bearer returns the token in a request's header.
func bearer(header http.Header) (token string, ok bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// hostOf returns a Host header without its port.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// isLoopback reports whether a host name or address is loopback. It does not use DNS.
func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// refuse answers with an error text and logs it. Apart from what the text quotes,
// nothing from the client goes to the log, in particular no header.
func refuse(w http.ResponseWriter, r *http.Request, status int, format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	slog.Debug("an HTTP request was refused", "from", r.RemoteAddr, "status", status, "reason", why)
	http.Error(w, why, status)
}
