package mcpserver

import (
	"context"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// subscriptionAnswer is a ResponseWriter for subscriptions/listen. mcp-go flushes it for
// the first time after the acknowledgement, which must be the first message (revision
// 2026-07-28). The answer follows at once, since this server has nothing to subscribe
// to. If it does not wait for that flush, mcp-go sometimes drops the acknowledgement.
type subscriptionAnswer struct {
	http.ResponseWriter
	once    sync.Once
	flushed chan struct{} // closed by the first flush
}

func (a *subscriptionAnswer) Flush() {
	_ = http.NewResponseController(a.ResponseWriter).Flush() // fails only if the client has left
	a.once.Do(func() { close(a.flushed) })
}

type flushedKey struct{}

// answerSubscription returns a ResponseWriter for subscriptions/listen, and the context for
// its request.
func answerSubscription(ctx context.Context, w http.ResponseWriter) (context.Context, http.ResponseWriter) {
	a := &subscriptionAnswer{ResponseWriter: w, flushed: make(chan struct{})}
	return context.WithValue(ctx, flushedKey{}, a.flushed), a
}

// afterSubscription makes mcp-go wait, before it answers a subscriptions/listen over HTTP,
// until the acknowledgement is sent.
func afterSubscription(hooks *server.Hooks) {
	hooks.AddAfterSubscriptionsListen(func(ctx context.Context, _ any, _ *mcp.SubscriptionsListenRequest, _ *mcp.SubscriptionsListenResult) {
		if flushed, ok := ctx.Value(flushedKey{}).(chan struct{}); ok {
			select {
			case <-flushed:
			case <-ctx.Done():
			}
		}
	})
}
