package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
)

// pace is the time between two exchanges of one kind.
const pace = 50 * time.Millisecond

// talk runs programs of the peer that talk to the agent, and sends noise.
func (s *soak) talk(to *control.Client) {
	s.every(pace, "pings", func(ctx context.Context, i int) error { return pingOnce(ctx, to, uint16(i)) })
	s.every(pace, "UDP echoes", func(ctx context.Context, _ int) error { return echoUDP(ctx, to) })
	s.every(pace, "TCP echoes", func(ctx context.Context, _ int) error { return echoTCP(ctx, to) })
	s.every(pace, "pages", func(ctx context.Context, _ int) error { return getPage(ctx, to) })
	s.every(pace, "closed ports", func(ctx context.Context, _ int) error {
		conn, err := to.Dial(ctx, "tcp", "10.77.0.2:9", 0)
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("got %w, want refused", err)
		}
		return nil
	})
	s.every(pace, "noise", func(ctx context.Context, i int) error {
		_, err := to.Inject(ctx, noise(rand.New(rand.NewPCG(1, uint64(i)))))
		return err
	})
	s.every(20*pace, "watchers", func(ctx context.Context, i int) error {
		left := i % 50
		return to.EventsSince(ctx, 0, nil, func(session.Event) bool { left--; return left > 0 })
	})
}

// noise returns a packet that a host answers with an error at most: an echo request
// with some changed bytes, or random bytes.
func noise(r *rand.Rand) []byte {
	if r.IntN(2) == 0 {
		b := make([]byte, 1+r.IntN(1500))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	b := request(uint16(r.Uint32()))
	for range 1 + r.IntN(4) {
		b[r.IntN(len(b))] = byte(r.Uint32())
	}
	return b
}

// some is the data to echo.
var some = bytes.Repeat([]byte("0123456789abcdef"), 64)

func pingOnce(ctx context.Context, to *control.Client, seq uint16) error {
	conn, err := to.OpenPing(ctx, false)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.Send(seq, some); err != nil {
		return err
	}
	answer, err := conn.Receive()
	if err != nil || answer.Type != 0 || answer.Seq != seq || answer.Hex != fmt.Sprintf("%x", some) {
		return fmt.Errorf("answered %+v, %w", answer, err)
	}
	return nil
}

// dialed connects, and sets ctx's deadline.
func dialed(ctx context.Context, to *control.Client, network, address string) (net.Conn, error) {
	conn, err := to.Dial(ctx, network, address, 0)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	return conn, conn.SetDeadline(deadline)
}

func echoUDP(ctx context.Context, to *control.Client) error {
	conn, err := dialed(ctx, to, "udp", "10.77.0.2:7")
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(some); err != nil {
		return err
	}
	got := make([]byte, 2*len(some))
	n, err := conn.Read(got)
	if err == nil && !bytes.Equal(got[:n], some) {
		err = fmt.Errorf("%q came back", got[:n])
	}
	return err
}

func echoTCP(ctx context.Context, to *control.Client) error {
	conn, err := dialed(ctx, to, "tcp", "10.77.0.2:7")
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(some); err != nil {
		return err
	}
	got := make([]byte, len(some))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, some) {
		return fmt.Errorf("%q came back, %w", got, err)
	}
	return nil
}

func getPage(ctx context.Context, to *control.Client) error {
	conn, err := dialed(ctx, to, "tcp", "10.77.0.2:80")
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	page, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(page), "Hello from 10.77.0.2") {
		return fmt.Errorf("the page is %q, %w", page, err)
	}
	return nil
}

// err makes a client do what clients do to a server: read and cancel, write too much
// and wrong packets, and dump forgotten packets, while the peer floods.
func (s *soak) err(c *client, from *control.Client) {
	for range 4 {
		s.every(pace, "cancelled reads", func(ctx context.Context, i int) error {
			id, waiting := c.begin("tools/call", toolCall("read_packet", fmt.Sprintf(`{"timeout_ms": 2000, "settle_ms": %d, "max_packets": 64}`, i%5*10)))
			if i%3 > 0 {
				c.cancel(id)
				_, waiting = c.begin("resources/list", map[string]any{}) // it may stay unanswered, but not the requests after it
			}
			return s.answered(ctx, waiting)
		})
	}
	s.every(pace, "writes", func(ctx context.Context, i int) error {
		ping := request(uint16(i))
		ping[15], ping[19] = 2, 1 // from the agent to the peer
		right, wrong := fmt.Sprintf(`{"hex": "%x"}`, ping), `{"hex": "4500001c"}, {"hex": "zz"}, {"copy": 1, "patch": {"70000": "00"}}`
		_, waiting := c.begin("tools/call", toolCall("write_packet", `{"assist": "fix", "packets": [`+strings.Repeat(right+",", i%8)+wrong+`]}`))
		return s.answered(ctx, waiting)
	})
	s.every(pace, "looks", func(ctx context.Context, i int) error {
		_, waiting := c.begin("tools/call", toolCall("hexdump", fmt.Sprintf(`{"packet": %d}`, i+1)))
		return s.answered(ctx, waiting)
	})
	s.every(10*pace, "floods", func(ctx context.Context, i int) error {
		conn, err := dialed(ctx, from, "udp", "10.77.0.2:9")
		if err != nil {
			return err
		}
		defer conn.Close()
		for range 500 {
			if _, err := conn.Write(some[:1+i%len(some)]); err != nil {
				return err
			}
		}
		return nil
	})
}

// answered waits for the answer to a request and ignores its content.
func (s *soak) answered(ctx context.Context, waiting <-chan answer) error {
	select {
	case a := <-waiting:
		if a.Error != nil {
			return errors.New(a.Error.Message)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
