package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// EndpointPath is the only path served over HTTP: the MCP endpoint.
const EndpointPath = "/mcp"

const (
	// headerPatience is how long a client may take to send the header of a request.
	headerPatience = 10 * time.Second

	// requestPatience is how long it may take to send a whole request. Even a
	// refused request is read before it is answered.
	requestPatience = 30 * time.Second

	// longestHeader is the longest header of a request, in bytes. It stays in
	// memory while the request is served, where many small fields take 15 times as
	// much.
	longestHeader = 16 << 10

	// idleConnection is how long a connection may wait for its next request.
	idleConnection = 2 * time.Minute

	// longestExchange is the time limit from the header of a request to the last
	// byte of its answer. A read may wait 92 s, and a slow client needs time to
	// send and receive.
	longestExchange = 3 * time.Minute
)

// HTTP is a listening address to serve MCP on.
type HTTP struct {
	listener net.Listener
	token    Token
	loopback bool // whether only this machine can reach it
}

// ListenHTTP listens on address, an IP address or localhost with a port. Port 0
// means any free port. 0.0.0.0 means every IPv4 address, [::] every IPv6 address, and
// no host (":8077") both. Without a token only loopback addresses are accepted. The
// error wraps a *net.OpError if the address is valid but listening failed.
func ListenHTTP(ctx context.Context, address string, token Token) (*HTTP, error) {
	network, host, port, err := splitAddress(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address to listen on; accepted: an IP address or localhost with a port from 0 to 65535, for instance 127.0.0.1:8077", address)
	}
	loopback := isLoopback(host)
	if !loopback && !token.Set() {
		return nil, fmt.Errorf("%q: other machines can reach this address: use 127.0.0.1, or require a token with --http-token-file FILE or the variable TUN_MCP_TOKEN", address)
	}
	listener, err := listening(vanished).Listen(ctx, network, net.JoinHostPort(host, port))
	if err != nil {
		next := ""
		if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL) {
			next = "; use an address of this machine and a free port (0 means any)"
		}
		return nil, fmt.Errorf("listening for MCP clients: %w%s", err, next)
	}
	return &HTTP{listener: listener, token: token, loopback: loopback}, nil
}

// splitAddress splits an address to listen on. The network is tcp4 or tcp6, since
// for 0.0.0.0 Go's "tcp" would also listen on IPv6. Without a host it is "tcp".
func splitAddress(address string) (network, host, port string, err error) {
	if host, port, err = net.SplitHostPort(address); err != nil {
		return "", "", "", err
	}
	if _, err = strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", "", err
	}
	switch host {
	case "":
		return "tcp", host, port, nil
	case "localhost": // a fixed address, whatever it resolves to
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", "", "", err
	}
	if ip = ip.Unmap(); ip.Is4() {
		return "tcp4", ip.String(), port, nil
	}
	return "tcp6", ip.String(), port, nil
}

// URL returns the URL for clients.
func (h *HTTP) URL() string { return "http://" + h.listener.Addr().String() + EndpointPath }

// Loopback reports whether only this machine can reach the server.
func (h *HTTP) Loopback() bool { return h.loopback }

// Close stops listening.
func (h *HTTP) Close() error { return h.listener.Close() }

// Serve serves any number of clients until ctx ends. Then it answers waiting calls,
// closes all connections and returns nil.
func (h *HTTP) Serve(ctx context.Context, s *server.MCPServer) error {
	calls, stop := newOpenCalls()
	defer stop(nil)
	connections := newConnections(maxConnections)
	srv := &http.Server{
		Handler:           h.handler(s, calls),
		ReadHeaderTimeout: headerPatience,
		ReadTimeout:       requestPatience, // no longer applies once the whole request was read
		WriteTimeout:      longestExchange,
		IdleTimeout:       idleConnection,
		MaxHeaderBytes:    longestHeader,
		ConnContext:       connections.opened,
		ConnState:         connections.changed,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(watchedListener{h.listener}) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving MCP at %s: %w", h.URL(), err)
	case <-ctx.Done():
	}
	stop(context.Cause(ctx))
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := srv.Shutdown(patience); err != nil {
		srv.Close() // do not wait for a client that does not read its answer
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving MCP at %s: %w", h.URL(), err)
	}
	return nil
}

// handler wraps mcp-go with, outermost first, access control, limits, and the
// matching of calls to clients.
func (h *HTTP) handler(s *server.MCPServer, calls *openCalls) http.Handler {
	sessions := newSessions()
	// The server sends only answers, so clients need no stream to listen on.
	protocol := server.NewStreamableHTTPServer(s, server.WithSessionIdManagerResolver(sessions), server.WithDisableStreaming(true),
		server.WithStreamableHTTPLogger(slog.New(quiet{slog.Default().Handler()})),
		server.WithDisableLocalhostProtection(true)) // guard does it, since only it knows the valid Hosts and tokens
	sessions.protocol = protocol
	return &guard{loopback: h.loopback, token: h.token, next: &exchange{
		server: s, bodies: &bodies{newMemory()}, sessions: sessions, calls: calls, protocol: protocol,
	}}
}
