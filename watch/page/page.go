// Package page serves the live page of `tun-mcp watch --web`: a ladder of a session's
// packets, what its agent is doing, and response times. A page can only read this and
// ping the agent.
package page

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Token is a secret that a browser sends once, in the address, to get access.
type Token interface {
	// Is reports whether shown is the token, in constant time.
	Is(shown string) bool
}

// Config says where the page is served and who may use it.
type Config struct {
	Address string // an IP address or localhost, with a port; port 0 means any free port
	Token   Token
	Shown   string // the token as text, for URL; "" means that the user has it in a file, and only then are addresses beyond loopback accepted
	Session string // the session shown first; "" means the newest
}

// Server serves the page at one address.
type Server struct {
	config   Config
	listener net.Listener
	loopback bool
	cookie   http.Cookie // set when a browser sends the token; its value is a separate secret
	hubs     hubs
	streams  chan struct{} // has one element for each open page
}

const (
	maxStreams      = 64 // pages open at the same time
	headerPatience  = 10 * time.Second
	requestPatience = 30 * time.Second
	idlePatience    = 2 * time.Minute
	longestHeader   = 16 << 10 // bytes
	longestBody     = 4 << 10  // bytes
)

// Listen opens the address. The error wraps a *net.OpError if the address is valid
// but listening failed.
func Listen(ctx context.Context, config Config) (*Server, error) {
	host, port, err := net.SplitHostPort(config.Address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host != "" && host != "localhost" && net.ParseIP(host) == nil {
		return nil, fmt.Errorf("%q: accepted is an IP address or localhost with a port from 0 to 65535, for instance 127.0.0.1:8078", config.Address)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	loopback := isLoopback(host)
	if !loopback && config.Shown != "" {
		return nil, fmt.Errorf("%q: other machines can reach this address: use 127.0.0.1, or require a token with --web-token-file FILE (serve: --watch-token-file FILE)", config.Address)
	}
	network := "tcp"
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		network = "tcp4"
	}
	var l net.ListenConfig
	listener, err := l.Listen(ctx, network, net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("listening for browsers: %w; use an address of this machine and a free port (0 means any)", err)
	}
	at := listener.Addr().(*net.TCPAddr)
	return &Server{config: config, listener: listener, loopback: loopback, streams: make(chan struct{}, maxStreams),
		// Cookies do not depend on the port, so each server needs its own cookie name.
		cookie: http.Cookie{Name: fmt.Sprint("tun-mcp-watch-", at.Port), Value: rand.Text() + rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode},
	}, nil
}

// URL returns the address to open in a browser, with the token.
func (s *Server) URL() string {
	token := url.QueryEscape(s.config.Shown)
	if token == "" {
		token = "TOKEN"
	}
	u := "http://" + s.listener.Addr().String() + "/?token=" + token
	if s.config.Session != "" {
		u += "&session=" + url.QueryEscape(s.config.Session)
	}
	return u
}

// Loopback reports whether only this machine can reach the page.
func (s *Server) Loopback() bool { return s.loopback }

// Close closes the address.
func (s *Server) Close() error { return s.listener.Close() }

// Serve serves the page until ctx ends, and then returns nil.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.hubs.ctx = ctx
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerPatience,
		ReadTimeout:       requestPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    longestHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving the page at %s: %w", s.listener.Addr(), err)
	case <-ctx.Done():
	}
	server.Close() // streams do not end on their own
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the page at %s: %w", s.listener.Addr(), err)
	}
	return nil
}

// isLoopback reports whether a host name or address is loopback. It does not use DNS.
func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
