package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

const (
	// maxRequests is the most concurrent requests, including waiting reads.
	maxRequests = 256

	// maxIdle is the most workers that wait for their turn. After a burst of
	// requests, the others end.
	maxIdle = 2

	// farewell is how long requests in progress may take after the client or the
	// server has ended. A client that no longer reads must not keep the server
	// alive.
	farewell = 500 * time.Millisecond
)

// ServeStdio serves one client on in and out, one JSON-RPC message a line. It
// returns nil when in ends, out fails or ctx ends.
//
// mcp-go handles the messages, but not the lines: its own stdio loop loses a
// cancellation that arrives before a worker has started the call. The cancelled read
// would then take packets that nobody sees.
func ServeStdio(ctx context.Context, s *server.MCPServer, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx) // waiting calls report the cause
	defer cancel(nil)
	c := &stdioClient{server: s, gone: cancel, memory: newMemory(), writing: make(chan struct{}, 1), out: out, notices: make(chan mcp.JSONRPCNotification, maxRequests), underWay: map[string]context.CancelCauseFunc{}}
	if err := s.RegisterSession(ctx, c); err != nil {
		return fmt.Errorf("serving MCP on stdio: %w", err)
	}
	defer s.UnregisterSession(context.WithoutCancel(ctx), c.SessionID())
	ctx = s.WithContext(ctx, c)

	ended := make(chan error, 1)
	go func() { ended <- c.listen(ctx, bufio.NewReaderSize(in, 64<<10)) }()
	var err error
	select {
	case err = <-ended:
		c.finished() // answer the calls that are nearly done
	case <-ctx.Done():
	}
	cancel(errClientLeft)
	c.finished()
	return err
}

// errClientLeft is the cause if the server ends because of its client.
var errClientLeft = errors.New("its client has closed stdin or stdout")

// stdioClient is the one client of a stdio server.
type stdioClient struct {
	server  *server.MCPServer
	memory  *memory                      // for the requests in progress
	gone    context.CancelCauseFunc      // ends the server when the client cannot be written to
	notices chan mcp.JSONRPCNotification // from requests in progress, to be written before their answers
	apps    atomic.Bool                  // whether its initialize announced MCP Apps

	writing chan struct{} // a lock of capacity 1 for writing to out
	out     io.Writer

	requests sync.WaitGroup                     // for the requests in underWay
	mu       sync.Mutex                         // guards all below and requests.Add
	ending   bool                               // whether new requests are refused
	underWay map[string]context.CancelCauseFunc // requests in progress, by key
}

// These methods implement mcp-go's ClientSession. Stdio has one session, which is
// ready from the start.
func (c *stdioClient) SessionID() string                                   { return "stdio" }
func (c *stdioClient) Initialize()                                         {}
func (c *stdioClient) Initialized() bool                                   { return true }
func (c *stdioClient) NotificationChannel() chan<- mcp.JSONRPCNotification { return c.notices }

// listen serves messages, one a line, until in or ctx ends. A worker that has read a
// request handles it itself, and lets another worker read on before it waits for
// anything. That saves handing the request to a goroutine that first has to wake up
// and grow its stack, and a packet is written before another goroutine is woken.
func (c *stdioClient) listen(ctx context.Context, in *bufio.Reader) error {
	turn := &turn{in: in, next: make(chan struct{}, 1), ended: make(chan error, 1)}
	turn.next <- struct{}{}
	go c.work(ctx, turn)
	select {
	case err := <-turn.ended:
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading from the MCP client: %w", err)
		}
	case <-ctx.Done(): // the workers end, and perhaps none is reading
	}
	return nil
}

// A turn is the right to read from the client. One worker has it at a time.
type turn struct {
	in    *bufio.Reader
	next  chan struct{} // holds one element while nobody reads
	ended chan error    // gets the reason why reading has ended
	idle  atomic.Int32  // number of workers that wait for next
}

// pass lets the next worker read.
func (c *stdioClient) pass(ctx context.Context, t *turn) {
	if t.idle.Load() == 0 { // make sure that one worker waits
		go c.work(ctx, t)
	}
	t.next <- struct{}{}
}

// work waits for its turn, reads until a request comes and handles it. The turn is
// passed on while it handles it. It repeats this until the client or ctx ends.
func (c *stdioClient) work(ctx context.Context, t *turn) {
	for {
		t.idle.Add(1)
		select {
		case <-t.next:
		case <-ctx.Done():
			return
		}
		t.idle.Add(-1)
		serve, err := c.read(ctx, t.in)
		var passed sync.Once
		pass := func() { passed.Do(func() { c.pass(ctx, t) }) }
		if err != nil {
			t.ended <- err
			pass = func() {}
		}
		if serve != nil {
			serve(pass)
		}
		pass()
		if err != nil || t.idle.Load() >= maxIdle {
			return
		}
	}
}

// read takes messages until one is a request, and returns the function that serves
// it. The error is the reason why nothing more can be read; serve may also be set, for
// the last request.
func (c *stdioClient) read(ctx context.Context, in *bufio.Reader) (serve func(pass func()), err error) {
	for err == nil && serve == nil {
		var line []byte
		line, err = readLine(in)
		if errors.Is(err, errLineTooLong) {
			c.write((&refusal{mcp.INVALID_REQUEST, err.Error()}).answer(nil))
			err = nil
			continue
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			serve = c.take(ctx, line)
		}
	}
	return serve, err
}

// take processes one message. For a request it only registers the id, so that a
// cancellation in the next message finds it, and returns the function that serves it.
// That passes the turn on before anything that may take long.
func (c *stdioClient) take(ctx context.Context, line []byte) (serve func(pass func())) {
	m, why := parseMessage(c.server, line)
	switch {
	case m.answer: // this server asked nothing, and an answer gets no answer
		return nil
	case why != nil && (m.request || m.Method == ""): // otherwise it is a notification, which gets no answer
		c.write(why.answer(m.ID))
		return nil
	case why != nil:
		return nil
	case !m.request:
		if m.Method == string(mcp.MethodNotificationCancelled) {
			c.cancel(m.RequestID)
		}
		c.handle(ctx, m, func() {})
		return nil
	}
	held := &share{of: c.memory}
	if !held.resize(cost(line)) {
		c.write(noMemory.answer(m.ID))
		return nil
	}
	ctx, done, why := c.begin(ctx, m.key)
	if why != nil {
		held.release()
		c.write(why.answer(m.ID))
		return nil
	}
	return func(pass func()) {
		defer done()
		defer held.release()
		c.handle(ctx, m, pass)
	}
}

// handle answers a message, unless it needs no answer or the client has cancelled it
// (MCP says not to answer then). If a tool has already read or sent packets, the
// answer is sent all the same. It calls pass before the request waits or takes long.
func (c *stdioClient) handle(ctx context.Context, m message, pass func()) {
	defer func() {
		// mcp-go recovers panics in tools, but not elsewhere.
		if fault := recover(); fault != nil {
			slog.Error("a request failed", "method", m.Method, "panic", fault)
			why := &refusal{mcp.INTERNAL_ERROR, fmt.Sprintf("%s failed inside this server (%v): the request was not served, but the server goes on", m.Method, fault)}
			pass()
			c.write(why.answer(m.ID))
		}
	}()
	if m.Method == string(mcp.MethodInitialize) && m.request && !mcp.IsModernProtocol(m.Revision) { // others have no effect
		c.apps.Store(m.Apps)
	}
	if m.Apps || m.Revision == "" && c.apps.Load() {
		ctx = withApps(ctx)
	}
	if m.Method != string(mcp.MethodToolsCall) {
		pass()
	}
	response := c.server.HandleMessage(withArguments(session.WithBeforeWait(ctx, pass), m.Arguments), m.Frame)
	pass() // a client that does not read can still be read from
	if response == nil || len(m.ID) == 0 {
		return
	}
	if errors.Is(context.Cause(ctx), tools.ErrCancelled) && !acted(response) {
		return
	}
	c.write(response)
}

// acted reports whether a tool has done its work, or part of it.
func acted(response mcp.JSONRPCMessage) bool {
	answer, _ := response.(mcp.JSONRPCResponse)
	result, ok := answer.Result.(*mcp.CallToolResult)
	return ok && !result.IsError
}

// write sends one message, after the notifications that are waiting. A request's
// notifications thus come before its answer.
func (c *stdioClient) write(message any) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	for waiting := true; waiting; {
		select {
		case notice := <-c.notices:
			c.writeLine(notice)
		default:
			waiting = false
		}
	}
	c.writeLine(message)
}

// writeLine sends one message. If that fails, the client is gone, even if stdin is
// still open because the client or one of its children holds the other end. The
// caller holds c.writing.
func (c *stdioClient) writeLine(message any) {
	line, err := encode(message)
	if err != nil {
		slog.Error("cannot encode an answer", "error", err)
		return
	}
	if _, err := c.out.Write(line); err != nil {
		slog.Debug("cannot write to the MCP client", "error", err)
		c.gone(errClientLeft)
	}
}
