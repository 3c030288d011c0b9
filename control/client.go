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

// ErrNoSession is returned by Find if no session is running.
var ErrNoSession = errors.New("no tun-mcp session is running; start an MCP client that has this server, for instance Claude Code, or start `tun-mcp agent`, which answers without a model")

// Client talks to the control socket of a running session.
type Client struct {
	Name string // session name
	Path string // path of its control socket
	http *http.Client
}

// Find returns the running session of that name. An empty name means the only
// session in this process's own folder or, if that has none, this user's only
// session. If there are several, the error lists them. Find removes the sockets of
// dead sessions.
func Find(name string) (*Client, error) {
	if name != "" {
		if err := CheckName(name); err != nil {
			return nil, err
		}
		if path, ok := find(name); ok {
			return dial(path), nil
		}
		return nil, fmt.Errorf("no session is named %q; %s", name, others())
	}
	likely := mostLikely(running())
	switch len(likely) {
	case 0:
		return nil, ErrNoSession
	case 1:
		return dial(likely[0].path), nil
	}
	return nil, fmt.Errorf("%d sessions are running: %s (newest first); choose one with --session NAME", len(likely), strings.Join(names(likely), ", "))
}

// answerTimeout bounds the wait for a server's response headers. The server may
// need half of it to ask the holder of a private network for a socket.
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

// Close closes idle connections. The client can be used again.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks the session for its status.
func (c *Client) Status(ctx context.Context) (session.Status, error) {
	var status session.Status
	err := c.do(ctx, http.MethodGet, "/status", nil, &status)
	return status, err
}

// ErrSilent is the error of StatusSoon if the server does not answer.
var ErrSilent = errors.New("its server does not answer; it may be stopped (SIGSTOP), and no packet crosses its link until it continues")

// silentAfter is how long a server may take to answer StatusSoon.
const silentAfter = 3 * time.Second

// StatusSoon is Status for callers that poll: it waits only for silentAfter, and
// returns ErrSilent after that.
func (c *Client) StatusSoon(ctx context.Context) (session.Status, error) {
	soon, cancel := context.WithTimeout(ctx, silentAfter)
	defer cancel()
	status, err := c.Status(soon)
	if err != nil && soon.Err() != nil && ctx.Err() == nil {
		err = ErrSilent
	}
	return status, err
}

// Inject queues a packet as if the peer had sent it and returns its number.
func (c *Client) Inject(ctx context.Context, data []byte) (int, error) {
	var answer InjectReply
	err := c.do(ctx, http.MethodPost, "/inject", InjectRequest{Hex: hex.EncodeToString(data)}, &answer)
	return answer.Number, err
}

// Packet returns one packet of the session's record.
func (c *Client) Packet(ctx context.Context, number int) (PacketReply, error) {
	var answer PacketReply
	err := c.do(ctx, http.MethodGet, fmt.Sprintf("/packet?number=%d", number), nil, &answer)
	return answer, err
}

// TrialEvents is EventsSince for a trial, with number 0. A session has one trial at a
// time: it refuses a second one.
func (c *Client) TrialEvents(ctx context.Context, ready func(), see func(session.Event) bool) error {
	return c.events(ctx, "/events?trial", ready, see)
}

// EventsSince calls see for the packets from number on that the record still holds,
// and for every event from now on, until see returns false, the session ends, or ctx
// ends. With number 0 it leaves out the record. Ready, if not nil, is called once no
// further event can be missed.
func (c *Client) EventsSince(ctx context.Context, number int, ready func(), see func(session.Event) bool) error {
	return c.events(ctx, fmt.Sprintf("/events?since=%d", number), ready, see)
}

func (c *Client) events(ctx context.Context, path string, ready func(), see func(session.Event) bool) error {
	body, err := c.send(ctx, http.MethodGet, path, nil)
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
		return fmt.Errorf("reading the answer of session %s to %s: %w", c.Name, path, err)
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

// silent returns the error for a session that gave no answer.
func (c *Client) silent(ctx context.Context, path string, err error) error {
	next := ""
	if cut, ok := errors.AsType[*url.Error](err); ok && cut.Timeout() && ctx.Err() == nil {
		next = "; its server is stopped (SIGSTOP) or out of file descriptors (ulimit -n); try again, or end it"
	}
	return fmt.Errorf("asking session %s for %s: %w%s", c.Name, path, err, next)
}

// refused returns the session's own error text for a refused request.
func (c *Client) refused(response *http.Response) error {
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	return fmt.Errorf("session %s: %s", c.Name, strings.TrimSpace(string(text)))
}
