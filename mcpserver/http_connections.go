package mcpserver

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxConnections is the most open connections. It is more than maxRequests, so
// at the limit there is always one without a request.
const maxConnections = 2 * maxRequests

// connections tracks the connections of an HTTP server. Over the limit it closes the
// one that has been idle for longest, so that idle clients do not keep others out.
type connections struct {
	most int
	mu   sync.Mutex // guards open and its connections
	open map[net.Conn]*connection
}

type connection struct {
	all     *connections
	conn    net.Conn
	serving int       // requests in progress; at most one in HTTP/1.1
	since   time.Time // when it was opened or its last request ended
}

type connectionKey struct{}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*connection{}}
}

// opened is for http.Server.ConnContext.
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
	entry := &connection{all: c, conn: conn, since: time.Now()}
	c.open[conn] = entry
	return context.WithValue(ctx, connectionKey{}, entry)
}

// changed is for http.Server.ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, conn)
	}
}

// watching makes a request's connection notice when its client leaves, until done is
// called.
func watching(ctx context.Context) (done func()) {
	entry, _ := ctx.Value(connectionKey{}).(*connection)
	if entry == nil {
		return func() {} // not from our own server
	}
	conn, ok := entry.conn.(*watchedConn)
	if !ok {
		return func() {}
	}
	conn.serving(true)
	return func() { conn.serving(false) }
}

// serving protects a request's connection from being closed as idle until done is
// called.
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
