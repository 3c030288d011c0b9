package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// tcpConnect opens connections and closes them.
func tcpConnect() Scenario {
	return Scenario{
		Name:    "tcp-connect",
		About:   "TCP connections to port 7, opened and closed",
		RFC:     "RFC 9293 sections 3.5 and 3.6",
		Expect:  "each is established",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.connections(ctx, f.Settings.Count, net.Conn.Close)
		},
	}
}

// tcpEcho sends data through a connection and wants it back.
func tcpEcho() Scenario {
	return Scenario{
		Name:    "tcp-echo",
		About:   "1,000 bytes over TCP to port 7",
		RFC:     "RFC 862, TCP echo; RFC 9293",
		Expect:  "they come back as they were sent",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.connections(ctx, min(f.Settings.Count, 5), func(conn net.Conn) error {
				defer conn.Close()
				return f.echo(conn, 1000)
			})
		},
	}
}

// connections opens so many connections to the agent's port 7, one after the
// other, and has use try each and close it.
func (f *Field) connections(ctx context.Context, count int, use func(net.Conn) error) ([]judge.Request, error) {
	return f.programs(ctx, count,
		func(i int) string { return fmt.Sprintf("connection %d", i+1) },
		func(ctx context.Context, _ int) error {
			conn, err := f.dial(ctx, "tcp4", 7, 0)
			if err != nil {
				return err
			}
			return use(conn)
		})
}

// echo sends so many bytes and wants them back.
func (f *Field) echo(conn net.Conn, size int) error {
	sent, got := f.random(size), make([]byte, size)
	if _, err := conn.Write(sent); err != nil {
		return err
	}
	if n, err := io.ReadFull(conn, got); err != nil {
		return fmt.Errorf("%d of %d bytes came back: %w", n, len(sent), err)
	}
	if !bytes.Equal(sent, got) {
		return errors.New("other bytes came back than were sent")
	}
	return nil
}

// httpGet fetches a page.
func httpGet() Scenario {
	return Scenario{
		Name:    "http",
		About:   "GET / over HTTP from port 80",
		RFC:     "RFC 9110; RFC 9112; RFC 9293",
		Expect:  "status 200 and a page with something on it, as long as it states",
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.programs(ctx, min(f.Settings.Count, 5),
				func(i int) string { return fmt.Sprintf("GET / %d", i+1) }, f.fetch)
		},
	}
}

// lossyLink is what the link of lossy does to packets, both ways.
const lossyLink = "drop=5%,duplicate=2%,reorder=5%,delay=2ms,jitter=2ms"

// lossy fetches pages through a link that damages the order of things.
func lossy() Scenario {
	return Scenario{
		Name:    "loss",
		About:   "GET / over HTTP through a link with " + lossyLink,
		RFC:     "RFC 9293 section 3.8.1, retransmission; RFC 9112 section 8, incomplete messages",
		Expect:  "status 200 and a page with something on it, as long as it states, whatever the link does",
		Impair:  lossyLink,
		Program: true,
		Judge:   judge.Program,
		Run: func(ctx context.Context, f *Field) ([]judge.Request, error) {
			return f.programs(ctx, min(f.Settings.Count, 5),
				func(i int) string { return fmt.Sprintf("GET / %d", i+1) }, f.fetch)
		},
	}
}

func (f *Field) dialTCP(ctx context.Context, _, _ string) (net.Conn, error) {
	return f.dial(ctx, "tcp4", 80, 0)
}

// fetch gets the agent's page with Go's own HTTP client.
func (f *Field) fetch(ctx context.Context, _ int) error {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: f.dialTCP}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.Status.Agent+"/", nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return judgePage(response)
}

// judgePage says what is wrong with a page. It is cut off if it has less than
// its Content-Length or chunks state; one that the end of the connection ends
// is whole, however long it is (RFC 9112 section 8).
func judgePage(response *http.Response) error {
	page, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	switch {
	case err != nil:
		return fmt.Errorf("after %d bytes: %w", len(page), err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("status %s, want 200", response.Status)
	case len(page) == 0:
		return errors.New("the page is empty")
	}
	return nil
}
