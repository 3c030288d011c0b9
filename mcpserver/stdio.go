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
)

const (
	// longestLine bounds a JSON-RPC message, in bytes: 64 packets of 65,535
	// bytes in hex fit.
	longestLine = 16 << 20

	// mostRequests bounds the requests being served at once. Every waiting
	// read is one.
	mostRequests = 256

	// farewell is how long requests under way may take once the client or the
	// server ends. A client that no longer reads must not keep the server alive.
	farewell = 500 * time.Millisecond
)

// ServeStdio serves one client on in and out, JSON-RPC a line, until in ends or
// ctx does, both of which return nil.
//
// The messages are handled by mcp-go, the lines are read here: its own stdio
// loop loses a cancellation that arrives before a worker has taken the call up,
// and with it the packets that the cancelled read takes later.
func ServeStdio(ctx context.Context, s *server.MCPServer, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &stdioClient{server: s, out: out, notices: make(chan mcp.JSONRPCNotification, 100), underWay: map[string]context.CancelFunc{}}
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
	cancel()
	c.finished()
	return err
}

// stdioClient is the one client of a stdio server.
type stdioClient struct {
	server  *server.MCPServer
	notices chan mcp.JSONRPCNotification

	writing sync.Mutex // held while a line is written to out
	out     io.Writer

	requests sync.WaitGroup
	mu       sync.Mutex                    // guards underWay
	underWay map[string]context.CancelFunc // requests being served, by their id as it was sent
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
			c.refuse(nil, mcp.INVALID_REQUEST, err.Error())
			continue
		}
		if len(bytes.TrimSpace(line)) > 0 {
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

var errLineTooLong = fmt.Errorf("the message is longer than %d bytes: write fewer packets in a call", longestLine)

// readLine returns the next line. One that is too long is read to its end and
// answered, so that the conversation can go on.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		piece, err := in.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(piece) > longestLine; !tooLong {
			line = append(line, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong && err == nil:
			return nil, errLineTooLong
		default:
			return line, err
		}
	}
}

// take handles one message. A request gets a goroutine of its own, and is known
// by its id from here on: a cancellation that comes next finds it.
func (c *stdioClient) take(ctx context.Context, line []byte) {
	var message struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			RequestID json.RawMessage `json:"requestId"`
		} `json:"params"`
	}
	var typeError *json.UnmarshalTypeError // mcp-go words what is mistyped
	if err := json.Unmarshal(line, &message); err != nil && !errors.As(err, &typeError) {
		c.refuse(nil, mcp.PARSE_ERROR, "the line is not a JSON-RPC message: "+err.Error())
		return
	}
	if len(message.ID) == 0 {
		if message.Method == string(mcp.MethodNotificationCancelled) {
			c.cancel(string(message.Params.RequestID))
		}
		c.server.HandleMessage(ctx, line)
		return
	}
	id := string(message.ID)
	ctx, done, ok := c.begin(ctx, id)
	if !ok {
		c.refuse(message.ID, mcp.INTERNAL_ERROR, fmt.Sprintf("%d requests are under way, that is the most: wait for one to end", mostRequests))
		return
	}
	c.requests.Go(func() {
		defer done()
		if response := c.server.HandleMessage(ctx, line); response != nil {
			c.write(response)
		}
	})
}

// begin enters a request under its id and returns what ends it.
func (c *stdioClient) begin(ctx context.Context, id string) (context.Context, func(), bool) {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.underWay) >= mostRequests {
		cancel()
		return nil, nil, false
	}
	c.underWay[id] = cancel
	return ctx, func() {
		cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.underWay, id)
	}, true
}

func (c *stdioClient) cancel(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel, ok := c.underWay[id]; ok {
		cancel()
	}
}

// finished waits until no request is under way, for as long as a farewell is.
func (c *stdioClient) finished() {
	done := make(chan struct{})
	go func() { c.requests.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(farewell):
	}
}

func (c *stdioClient) refuse(id json.RawMessage, code int, why string) {
	var given any
	_ = json.Unmarshal(id, &given) // no id: null, as JSON-RPC 2.0 section 5 has it
	c.write(mcp.NewJSONRPCError(mcp.NewRequestId(given), code, why, nil))
}

// write sends one message. A client that cannot be written to is gone; its
// stdin, which ends then, ends the server.
func (c *stdioClient) write(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		slog.Error("an answer could not be encoded", "error", err)
		return
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.out.Write(append(line, '\n')); err != nil {
		slog.Debug("the MCP client could not be written to", "error", err)
	}
}
