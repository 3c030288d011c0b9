package control

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// ErrNoSession is what Find returns where no session is running.
var ErrNoSession = errors.New("no tun-mcp session is running: start an MCP client with this server, Claude Code for instance, or `tun-mcp agent` for one that answers without a model")

// Client talks to the control socket of a running session.
type Client struct {
	Name string // of the session
	Path string // of its control socket
	http *http.Client
}

// Find returns the running session of that name, or with an empty name the
// newest. Sockets of dead sessions are removed on the way.
func Find(name string) (*Client, error) {
	if name != "" {
		if err := CheckName(name); err != nil {
			return nil, err
		}
		if path := SocketPath(name); trusted(filepath.Dir(path)) && alive(path) {
			return dial(path), nil
		}
		return nil, fmt.Errorf("no session is named %q; %s", name, others())
	}
	running := Running()
	if len(running) == 0 {
		return nil, ErrNoSession
	}
	return dial(SocketPath(running[0])), nil
}

// answerTimeout bounds a server's first word on any request. It may need half of
// it to ask the holder of a private network for a socket.
const answerTimeout = 10 * time.Second

func dial(path string) *Client {
	return &Client{
		Name: strings.TrimSuffix(filepath.Base(path), ".sock"),
		Path: path,
		http: &http.Client{Transport: &http.Transport{
			ResponseHeaderTimeout: answerTimeout,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "unix", path)
			},
		}},
	}
}

// Close lets go of the connections that wait for a next request. The client
// can be used again.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks the session for its status.
func (c *Client) Status(ctx context.Context) (session.Status, error) {
	var status session.Status
	err := c.do(ctx, http.MethodGet, "/status", nil, &status)
	return status, err
}

// Inject queues a packet as if the peer had sent it and returns its number.
func (c *Client) Inject(ctx context.Context, data []byte) (int, error) {
	var answer InjectReply
	err := c.do(ctx, http.MethodPost, "/inject", InjectRequest{Hex: hex.EncodeToString(data)}, &answer)
	return answer.Number, err
}

// Events calls see for every event from now on, until see returns false, the
// session ends, or ctx does. Ready, if not nil, is called as soon as nothing
// can be missed any more.
func (c *Client) Events(ctx context.Context, ready func(), see func(session.Event) bool) error {
	body, err := c.send(ctx, http.MethodGet, "/events", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if ready != nil {
		ready()
	}
	for lines := json.NewDecoder(body); ; {
		var e session.Event
		if err := lines.Decode(&e); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("watching session %s: %w", c.Name, err)
		}
		if !see(e) {
			return nil
		}
	}
}

func (c *Client) do(ctx context.Context, method, path string, request, answer any) error {
	body, err := c.send(ctx, method, path, request)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(answer); err != nil {
		return fmt.Errorf("reading what session %s answered to %s: %w", c.Name, path, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, request any) (io.ReadCloser, error) {
	var in io.Reader
	if request != nil {
		data, err := json.Marshal(request)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://session"+path, in)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.silent(ctx, path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, c.refused(response)
	}
	return response.Body, nil
}

// silent is why a session gave no answer.
func (c *Client) silent(ctx context.Context, path string, err error) error {
	next := ""
	if cut, ok := errors.AsType[*url.Error](err); ok && cut.Timeout() && ctx.Err() == nil {
		next = "; its server is stopped (SIGSTOP), or is out of file descriptors (ulimit -n): try again, or end it"
	}
	return fmt.Errorf("asking session %s for %s: %w%s", c.Name, path, err, next)
}

// refused is the session's own word on why it did not do what it was asked.
func (c *Client) refused(response *http.Response) error {
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	return fmt.Errorf("session %s: %s", c.Name, strings.TrimSpace(string(text)))
}
