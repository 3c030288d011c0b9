package control

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// An Ended is the error of a command whose session ended.
type Ended struct {
	Session string // session name
	Why     string // the session's own reason, or what else is known
}

// gone is the reason for a session that ended without giving one.
const gone = "its server is gone"

func (e *Ended) Error() string { return fmt.Sprintf("session %s has ended: %s", e.Session, e.Why) }

// At returns the session whose control socket is at path, running or not.
func At(path string) *Client { return dial(path) }

// WaitEnd waits for the session's end and returns an *Ended, or ctx's error if
// ctx ends first.
func (c *Client) WaitEnd(ctx context.Context) error {
	body, err := c.send(ctx, http.MethodGet, "/end", nil)
	return c.end(ctx, body, err)
}

// end waits for the body of GET /end.
func (c *Client) end(ctx context.Context, body io.ReadCloser, err error) error {
	if _, cut := errors.AsType[*url.Error](err); err != nil && !cut {
		return err
	}
	answer := EndReply{End: gone}
	if err == nil {
		defer body.Close()
		_ = json.NewDecoder(body).Decode(&answer) // a killed server sends nothing
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Ended{Session: c.Name, Why: answer.End}
}

// A PingConn pings the agent from the peer of a session, through its server. One
// goroutine may call Send while another one calls Receive.
type PingConn struct {
	name string
	conn io.ReadWriteCloser
	in   *json.Decoder

	mu     sync.Mutex // guards closed
	closed bool
}

// OpenPing opens a PingConn to the agent's IPv4 or IPv6 address.
func (c *Client) OpenPing(ctx context.Context, is6 bool) (*PingConn, error) {
	query := ""
	if is6 {
		query = "?ip=6"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://session/ping"+query, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", UpgradePing)
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.silent(ctx, "a ping", err)
	}
	conn, ok := response.Body.(io.ReadWriteCloser)
	if response.StatusCode != http.StatusSwitchingProtocols || !ok {
		return nil, c.refused(response)
	}
	return &PingConn{name: c.Name, conn: conn, in: json.NewDecoder(bufio.NewReader(conn))}, nil
}

// Send asks the session to send one echo request. Receive reports if it could
// not be sent.
func (p *PingConn) Send(seq uint16, payload []byte) error {
	line, err := json.Marshal(EchoRequest{Seq: seq, Hex: hex.EncodeToString(payload)})
	if err != nil {
		return err
	}
	_, err = p.conn.Write(append(line, '\n'))
	return err
}

// Receive waits for the next answer. The error is an *Ended if the session has
// ended, and io.EOF after Close.
func (p *PingConn) Receive() (EchoAnswer, error) {
	var a EchoAnswer
	err := p.in.Decode(&a)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return a, io.EOF
	case errors.Is(err, io.EOF), err == nil && a.End != "":
		if a.End == "" {
			a.End = gone
		}
		return a, &Ended{Session: p.name, Why: a.End}
	case err != nil:
		return a, fmt.Errorf("reading the answer of session %s to a ping: %w", p.name, err)
	}
	return a, nil
}

// Close closes the connection and wakes a blocked Receive.
func (p *PingConn) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	return p.conn.Close()
}
