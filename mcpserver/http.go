package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// EndpointPath is where MCP is served over HTTP, and nothing else is.
const EndpointPath = "/mcp"

const (
	// headerPatience is how long a client may take to send a request's header.
	headerPatience = 10 * time.Second

	// requestPatience is how long it may take to send a request whole, whatever
	// becomes of it: one that is refused is read, too, before it is answered.
	requestPatience = 30 * time.Second

	// longestHeader bounds a request's header, in bytes.
	longestHeader = 64 << 10

	// idleConnection is how long a connection may wait for its next request.
	idleConnection = 2 * time.Minute

	// longestExchange bounds a request from its header to the last byte of its
	// answer: a read may wait 92 s, and a slow client needs time for both.
	longestExchange = 3 * time.Minute
)

// HTTP is an address at which MCP can be served.
type HTTP struct {
	listener net.Listener
	token    Token
	loopback bool // only this machine reaches it
}

// ListenHTTP listens at address, an IP address or localhost with a port; port 0
// takes a free one. The error wraps a *net.OpError if the address is right, but
// cannot be had. A client that is not asked for a token must be on this
// machine: without one, any other address than loopback is refused.
func ListenHTTP(ctx context.Context, address string, token Token) (*HTTP, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host != "" && host != "localhost" && net.ParseIP(host) == nil {
		return nil, fmt.Errorf("%q: accepted is an IP address or localhost with a port from 0 to 65535, for instance 127.0.0.1:8077", address)
	}
	if host == "localhost" { // one address, not whatever it resolves to
		address = "127.0.0.1" + strings.TrimPrefix(address, host)
		host = "127.0.0.1"
	}
	loopback := isLoopback(host)
	if !loopback && !token.Set() {
		return nil, fmt.Errorf("%q: other machines can reach this address: use 127.0.0.1, or require a token with --http-token-file FILE or the variable TUN_MCP_TOKEN", address)
	}
	listener, err := listening(vanished).Listen(ctx, "tcp", address)
	if err != nil {
		next := ""
		if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL) {
			next = "; take an address of this machine and a port that is free (0 takes one)"
		}
		return nil, fmt.Errorf("listening for MCP clients: %w%s", err, next)
	}
	return &HTTP{listener: listener, token: token, loopback: loopback}, nil
}

// URL is what a client is given to connect to.
func (h *HTTP) URL() string { return "http://" + h.listener.Addr().String() + EndpointPath }

// Loopback says whether only this machine can reach it.
func (h *HTTP) Loopback() bool { return h.loopback }

// Close gives the address up.
func (h *HTTP) Close() error { return h.listener.Close() }

// Serve serves any number of clients until ctx ends, which returns nil. Calls
// that wait then are answered; connections that stay are closed.
func (h *HTTP) Serve(ctx context.Context, s *server.MCPServer) error {
	calls, stop := newOpenCalls()
	defer stop(nil)
	connections := newConnections(mostConnections)
	srv := &http.Server{
		Handler:           h.handler(s, calls),
		ReadHeaderTimeout: headerPatience,
		ReadTimeout:       requestPatience, // over when the request came whole
		WriteTimeout:      longestExchange,
		IdleTimeout:       idleConnection,
		MaxHeaderBytes:    longestHeader,
		ConnContext:       connections.opened,
		ConnState:         connections.changed,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(h.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving MCP at %s: %w", h.URL(), err)
	case <-ctx.Done():
	}
	stop(context.Cause(ctx))
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := srv.Shutdown(patience); err != nil {
		srv.Close() // a client that does not read its answer must not keep the server alive
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving MCP at %s: %w", h.URL(), err)
	}
	return nil
}

// handler is what stands between a client and mcp-go, outermost first: who may
// ask, what is too much, which call is whose.
func (h *HTTP) handler(s *server.MCPServer, calls *openCalls) http.Handler {
	sessions := newSessions()
	// The server tells nothing unasked: there is nothing to listen for.
	protocol := server.NewStreamableHTTPServer(s, server.WithSessionIdManagerResolver(sessions), server.WithDisableStreaming(true))
	sessions.protocol = protocol
	return &guard{loopback: h.loopback, token: h.token, next: &exchange{
		bodies: newBodies(), sessions: sessions, calls: calls, protocol: protocol,
	}}
}
