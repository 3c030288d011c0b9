package mcpserver

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// mostConnections bounds the open connections. It is above mostRequests, so
// that there is always one that is not being served.
const mostConnections = 2 * mostRequests

// connections are those of an HTTP server. When one more comes than there may
// be, the one that has been without a request for longest is closed: clients
// that connect and do nothing keep nobody out.
type connections struct {
	most int
	mu   sync.Mutex // guards open, and what is in it
	open map[net.Conn]*connection
}

type connection struct {
	all     *connections
	serving int       // requests under way, one at most in HTTP/1.1
	since   time.Time // when it was opened, or its last request ended
}

type connectionKey struct{}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*connection{}}
}

// opened is http.Server's ConnContext.
func (c *connections) opened(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= c.most {
		var longest net.Conn
		for other, state := range c.open {
			if state.serving == 0 && (longest == nil || state.since.Before(c.open[longest].since)) {
				longest = other
			}
		}
		if longest != nil {
			delete(c.open, longest)
			longest.Close()
		}
	}
	entry := &connection{all: c, since: time.Now()}
	c.open[conn] = entry
	return context.WithValue(ctx, connectionKey{}, entry)
}

// changed is http.Server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, conn)
	}
}

// serving keeps a request's connection open until it is done.
func serving(ctx context.Context) (done func()) {
	entry, ok := ctx.Value(connectionKey{}).(*connection)
	if !ok {
		return func() {} // not from our own server
	}
	entry.count(1)
	return func() { entry.count(-1) }
}

func (e *connection) count(n int) {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	e.serving += n
	e.since = time.Now()
}
