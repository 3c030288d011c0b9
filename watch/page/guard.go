package page

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/tun-mcp/tun-mcp/control"
)

// policy is the page's content security policy: the page loads only its own files,
// cannot be put into a frame, and cannot turn text into markup by mistake.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard lets only permitted requests through. A browser on this machine runs the
// scripts of any web page and can reach loopback. So guard refuses foreign names that
// resolve to this machine (DNS rebinding) and requests from foreign pages.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.loopback && !isLoopback(hostOf(r.Host)) {
			refuse(w, r, http.StatusForbidden, "the Host is %q; accepted: localhost, 127.0.0.1 and [::1]", r.Host)
			return
		}
		if origins := r.Header.Values("Origin"); len(origins) > 1 || len(origins) == 1 && !sameOrigin(origins[0], r.Host) {
			refuse(w, r, http.StatusForbidden, "the Origin is %q: web pages from elsewhere may not use this server", strings.Join(origins, ", "))
			return
		}
		if shown := r.URL.Query()["token"]; r.Method == http.MethodGet && r.URL.Path == "/" && len(shown) > 0 {
			s.enter(w, r, shown)
			return
		}
		if !s.known(r) {
			refuse(w, r, http.StatusUnauthorized, "this page needs a token; open the address that tun-mcp printed, which contains it after ?token=")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// enter exchanges the token in the address for a cookie, and sends the browser to the
// address without the token. It uses a page with Refresh instead of a redirect: after
// a link from another site, a browser does not send a strict cookie with a redirect.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, shown []string) {
	if len(shown) != 1 || !s.config.Token.Is(shown[0]) {
		refuse(w, r, http.StatusForbidden, "the token is not this page's token; open the address that tun-mcp printed")
		return
	}
	to := "/"
	if name := r.URL.Query().Get("session"); control.CheckName(name) == nil {
		to += "?session=" + url.QueryEscape(name)
	}
	cookie := s.cookie
	http.SetCookie(w, &cookie)
	w.Header().Set("Refresh", "0; url="+to)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "tun-mcp watch: opening the page")
}

// known reports whether the request has the cookie that enter sets.
func (s *Server) known(r *http.Request) bool {
	want := sha256.Sum256([]byte(s.cookie.Value))
	for _, cookie := range r.CookiesNamed(s.cookie.Name) {
		if got := sha256.Sum256([]byte(cookie.Value)); subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return true
		}
	}
	return false
}

// sameOrigin reports whether origin is a page of this host.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.EqualFold(u.Host, host)
}

// hostOf returns a Host header without its port.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// refuse answers with an error text and logs it. Apart from what the text quotes,
// nothing from the browser goes to the log, in particular no address, which may
// contain the token.
func refuse(w http.ResponseWriter, r *http.Request, status int, format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	slog.Debug("a request for the page was refused", "from", r.RemoteAddr, "status", status, "reason", why)
	http.Error(w, why, status)
}
