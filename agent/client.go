package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/tun-mcp/tun-mcp/child"
	"github.com/tun-mcp/tun-mcp/session"
)

// How long to wait for a server.
const (
	startPatience = 30 * time.Second // from its start to its first answer
	closePatience = 5 * time.Second  // from the end of its stdin to its exit
)

// Server is the client's side of a tun-mcp server that runs as a child process.
// Its methods may be called concurrently.
type Server struct {
	mcp   *client.Client
	child *exec.Cmd

	once   sync.Once // guards ending
	ending error     // how the child ended
}

// StartServer starts argv as an MCP server and does the MCP handshake, for at most
// 30 s. The server's stderr goes to stderr; an *os.File needs no copying. The
// server gets its own process group, so Ctrl-C reaches only this process, which
// then closes the server properly.
func StartServer(ctx context.Context, argv []string, stderr io.Writer) (*Server, error) {
	command := exec.Command(argv[0], argv[1:]...)
	command.Stderr = stderr
	child.Apart(command)
	in, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the MCP server: %w", err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the MCP server: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting the MCP server: %w", err)
	}
	// mcp-go could start the child itself, but then it would read 4 KB at a time
	// (NewIO keeps our larger buffer) and leave the child in our process group.
	//
	// We ask for the older protocol version: with the newer one, mcp-go's client
	// encodes the parameters of every call three times and decodes them once. A
	// download then took 7.3 s of CPU time instead of 3.0 s.
	s := &Server{child: command, mcp: client.NewClient(
		transport.NewIO(bufio.NewReaderSize(out, 1<<20), in, nil),
		client.WithProtocolVersion(mcp.LATEST_LEGACY_PROTOCOL_VERSION))}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := s.open(ctx); err != nil {
		ending := s.Close()
		if gone(err) {
			return nil, fmt.Errorf("starting the MCP server (%s): it ended before it answered (%v)", strings.Join(argv, " "), ending)
		}
		return nil, errors.Join(fmt.Errorf("connecting to the MCP server (%s): %w; check that it is tun-mcp of the same version", strings.Join(argv, " "), err), ending)
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	if err := s.mcp.Start(ctx); err != nil {
		return err
	}
	var hello mcp.InitializeRequest
	hello.Params.ClientInfo = mcp.Implementation{Name: "tun-mcp-agent", Version: "1"}
	hello.Params.ProtocolVersion = mcp.LATEST_LEGACY_PROTOCOL_VERSION
	_, err := s.mcp.Initialize(ctx, hello)
	return err
}

// Call calls a tool with arguments, encoded as JSON, and returns its text. If the
// tool fails, the error is a *ToolError. If ctx ends, the call is also cancelled at
// the server.
func (s *Server) Call(ctx context.Context, tool string, arguments any) (string, error) {
	result, err := s.mcp.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: arguments}})
	if err != nil {
		return "", fmt.Errorf("calling %s: %w", tool, err)
	}
	if len(result.Content) != 1 {
		return "", fmt.Errorf("calling %s: the result has %d pieces of content, want one text", tool, len(result.Content))
	}
	text, ok := result.Content[0].(mcp.TextContent)
	if !ok {
		return "", fmt.Errorf("calling %s: the result is a %T, want a text", tool, result.Content[0])
	}
	if result.IsError {
		return "", &ToolError{Tool: tool, Text: text.Text}
	}
	return text.Text, nil
}

// gone reports whether a call failed because the server has ended.
func gone(err error) bool {
	return errors.Is(err, transport.ErrTransportClosed) || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed)
}

// ToolError is the error text that a tool returned.
type ToolError struct{ Tool, Text string }

func (e *ToolError) Error() string { return e.Tool + ": " + e.Text }

// Status reads the resource tun://status.
func (s *Server) Status(ctx context.Context) (session.Status, error) {
	var status session.Status
	var request mcp.ReadResourceRequest
	request.Params.URI = "tun://status"
	result, err := s.mcp.ReadResource(ctx, request)
	if err != nil {
		return status, fmt.Errorf("reading tun://status: %w", err)
	}
	if len(result.Contents) != 1 {
		return status, fmt.Errorf("reading tun://status: it has %d pieces of content, want one text", len(result.Contents))
	}
	text, ok := result.Contents[0].(mcp.TextResourceContents)
	if !ok {
		return status, fmt.Errorf("reading tun://status: it is a %T, want a text", result.Contents[0])
	}
	if err := json.Unmarshal([]byte(text.Text), &status); err != nil {
		return status, fmt.Errorf("reading tun://status: %w", err)
	}
	return status, nil
}

// Close closes the server's stdin, waits up to 5 s for it to exit, and then kills
// it. The error says how the server failed. Pending calls fail. Later calls of
// Close return the same.
func (s *Server) Close() error {
	s.once.Do(func() {
		_ = s.mcp.Close() // fails if the child is already gone
		kill := time.AfterFunc(closePatience, func() { _ = s.child.Process.Kill() })
		defer kill.Stop()
		err := s.child.Wait()
		failed, ok := errors.AsType[*exec.ExitError](err)
		switch { // not wrapped, so that its exit status does not become ours
		case ok && !failed.Exited():
			s.ending = fmt.Errorf("the MCP server was killed (%v)", err)
		case err != nil:
			s.ending = fmt.Errorf("the MCP server failed (%v); it said why on stderr", err)
		}
	})
	return s.ending
}
