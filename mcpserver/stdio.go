package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/tools"
)

const (
	// mostRequests bounds the requests being served at once. Every waiting
	// read is one.
	mostRequests = 256

	// farewell is how long requests under way may take once the client or the
	// server ends. A client that no longer reads must not keep the server alive.
	farewell = 500 * time.Millisecond
)

// ServeStdio serves one client on in and out, JSON-RPC a line, until in ends,
// out takes no more or ctx ends, all of which return nil.
//
// The messages are handled by mcp-go, the lines are read here: its own stdio
// loop loses a cancellation that arrives before a worker has taken the call up,
// and with it the packets that the cancelled read takes later.
func ServeStdio(ctx context.Context, s *server.MCPServer, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx) // what waits is told the cause
	defer cancel(nil)
	c := &stdioClient{server: s, gone: cancel, writing: make(chan struct{}, 1), out: out, notices: make(chan mcp.JSONRPCNotification, 100), underWay: map[string]context.CancelCauseFunc{}}
	if err := s.RegisterSession(ctx, c); err != nil {
		return fmt.Errorf("serving MCP on stdio: %w", err)
	}
	defer s.UnregisterSession(context.WithoutCancel(ctx), c.SessionID())
	ctx = s.WithContext(ctx, c)

	go c.notify(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.listen(ctx, bufio.NewReaderSize(in, 64<<10)) }()
	var err error
	select {
	case err = <-ended:
		c.finished() // let what is nearly done be answered
	case <-ctx.Done():
	}
	cancel(errClientLeft)
	c.finished()
	return err
}

// errClientLeft is why a stdio server ends by itself.
var errClientLeft = errors.New("its client has closed stdin or stdout")

// stdioClient is the one client of a stdio server.
type stdioClient struct {
	server  *server.MCPServer
	gone    context.CancelCauseFunc // ends the serving: the client cannot be written to
	notices chan mcp.JSONRPCNotification

	writing chan struct{} // has room for one: who is in may write to out
	out     io.Writer

	requests sync.WaitGroup                     // those in underWay
	mu       sync.Mutex                         // guards what follows, and adding to requests
	ending   bool                               // no more requests are taken up
	underWay map[string]context.CancelCauseFunc // requests being served, by their key
}

// The session that mcp-go keeps a client by. Stdio has one, known by no id and
// ready as soon as it speaks.
func (c *stdioClient) SessionID() string                                   { return "stdio" }
func (c *stdioClient) Initialize()                                         {}
func (c *stdioClient) Initialized() bool                                   { return true }
func (c *stdioClient) NotificationChannel() chan<- mcp.JSONRPCNotification { return c.notices }

// notify writes what the server has to tell unasked.
func (c *stdioClient) notify(ctx context.Context) {
	for {
		select {
		case n := <-c.notices:
			c.write(n)
		case <-ctx.Done():
			return
		}
	}
}

// listen takes up one message a line until in ends.
func (c *stdioClient) listen(ctx context.Context, in *bufio.Reader) error {
	for {
		line, err := readLine(in)
		if errors.Is(err, errLineTooLong) {
			c.write((&refusal{mcp.INVALID_REQUEST, err.Error()}).answer(nil))
			continue
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			c.take(ctx, line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading from the MCP client: %w", err)
		}
	}
}

// take handles one message. A request gets a goroutine of its own, and is known
// by its id from here on: a cancellation that comes next finds it.
func (c *stdioClient) take(ctx context.Context, line []byte) {
	m, why := parseMessage(line)
	if why != nil {
		c.write(why.answer(m.ID))
		return
	}
	if !m.request {
		if m.Method == string(mcp.MethodNotificationCancelled) {
			c.cancel(m.Params.RequestID)
		}
		c.handle(ctx, m, line)
		return
	}
	ctx, done, why := c.begin(ctx, m.key)
	if why != nil {
		c.write(why.answer(m.ID))
		return
	}
	go func() {
		defer done()
		c.handle(ctx, m, line)
	}()
}

// handle answers a message if there is something to answer, and the client has
// not cancelled it (it should not be answered then, by MCP's cancellation). What
// a tool had done before is told all the same: packets are in it, or were sent.
func (c *stdioClient) handle(ctx context.Context, m message, line []byte) {
	defer func() {
		// mcp-go recovers what tools do, not prompts, resources and itself.
		if fault := recover(); fault != nil {
			slog.Error("a request failed", "method", m.Method, "panic", fault)
			why := &refusal{mcp.INTERNAL_ERROR, fmt.Sprintf("%s failed inside this server (%v): it goes on, the request was not served", m.Method, fault)}
			c.write(why.answer(m.ID))
		}
	}()
	response := c.server.HandleMessage(ctx, line)
	if response == nil || len(m.ID) == 0 {
		return
	}
	if errors.Is(context.Cause(ctx), tools.ErrCancelled) && !acted(response) {
		return
	}
	c.write(response)
}

// acted says whether a tool has done what it was called for, or some of it.
func acted(response mcp.JSONRPCMessage) bool {
	answer, _ := response.(mcp.JSONRPCResponse)
	result, ok := answer.Result.(*mcp.CallToolResult)
	return ok && !result.IsError
}

// write sends one message. A client that cannot be written to is gone, though
// it, or a child of its, may hold the other end of stdin for long.
func (c *stdioClient) write(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		slog.Error("an answer could not be encoded", "error", err)
		return
	}
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	if _, err := c.out.Write(append(line, '\n')); err != nil {
		slog.Debug("the MCP client could not be written to", "error", err)
		c.gone(errClientLeft)
	}
}
