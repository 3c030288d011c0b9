package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestDialErrors(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		for _, c := range []struct {
			network, address string
			ttl              int
			is               error
			text             string
		}{
			{"tcp", "10.77.0.2:81", 0, syscall.ECONNREFUSED, "dial tcp 10.77.0.2:81: "},
			{"tcp", "192.0.2.1:80", 0, syscall.ENETUNREACH, "dial tcp 192.0.2.1:80: "},
			{"tcp", "agent:80", 0, nil, "not an IP address and a port"},
			{"udp", "10.77.0.2:7", 300, nil, "TTL 300 is out of range"},
			{"tcp", strings.Repeat("x", 5000), 0, nil, "buffer full"},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			_, err := d.client.Dial(ctx, c.network, c.address, c.ttl)
			cancel()
			if err == nil || !strings.Contains(err.Error(), c.text) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		u := d.dial(t, "udp", "10.77.0.2:81", 0)
		for range 2 { // a refusal does not end the connection
			u.Write([]byte("x"))
			if _, err := u.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("a refused datagram gave %v", err)
			}
		}
	})
}

func TestDialReset(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		tuntest.ServeTCP(t, d.agent, ":80", func(c net.Conn) {
			c.Read(make([]byte, 1)) // closing with unread data resets the connection
		})
		for _, size := range []int{1000, 1_000_000} {
			c := d.dial(t, "tcp", "10.77.0.2:80", 0)
			wrote := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, size))
				wrote <- err
			}()
			if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Read gave %v", err)
			}
			if err := <-wrote; err != nil && !errors.Is(err, syscall.EPIPE) {
				t.Errorf("Write gave %v", err)
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a second Read gave %v", err)
			}
		}
	})
}

// A deadline may interrupt a frame. The stream still continues correctly.
func TestDialDeadlines(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		start := make(chan struct{})
		tuntest.ServeTCP(t, d.agent, ":7", func(c net.Conn) {
			<-start
			io.Copy(c, c)
		})
		c := d.dial(t, "tcp", "10.77.0.2:7", 0)
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read gave %v", err)
		}
		c.SetReadDeadline(time.Now().Add(limit))

		body := make([]byte, 20_000_000)
		rand.NewChaCha8([32]byte{}).Read(body)
		n, err := 0, error(nil)
		for patience := 50 * time.Millisecond; n == 0 && patience < limit; patience *= 2 { // a busy machine may write nothing in 50 ms
			c.SetWriteDeadline(time.Now().Add(patience))
			n, err = c.Write(body) // more than all buffers on the way hold
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(body) {
			t.Fatalf("Write gave %d, %v", n, err)
		}
		c.SetWriteDeadline(time.Now().Add(limit))
		body = body[:n+1000]
		close(start)
		go func() {
			c.Write(body[n:])
			c.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes of %d came back, %v", len(got), len(body), err)
		}
	})
}

func TestDialCutShort(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(t *testing.T) *tun.Link
	}{
		{"private", func(t *testing.T) *tun.Link { return tuntest.OpenPrivate(t, tun.Config{}) }},
		{"memory", func(t *testing.T) *tun.Link { return tuntest.OpenMemory(t, tun.Config{}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, control, client := serving(t, c.open(t))                  // the agent does not answer
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // in which the SYN is sent, on a busy machine too
			defer cancel()
			_, err := client.Dial(ctx, "tcp", "10.77.0.2:80", 0)
			if n, ok := errors.AsType[net.Error](err); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) || !ok || !n.Timeout() {
				t.Errorf("the deadline gave %v", err)
			}

			ctx, cancel = context.WithCancel(t.Context())
			done := make(chan error, 1)
			dial := func() {
				_, err := client.Dial(ctx, "tcp", "10.77.0.2:80", 0)
				done <- err
			}
			syn := func() {
				if b, err := s.Read(t.Context(), session.ReadOptions{Timeout: limit, Max: 64}); err != nil || len(b.Packets) == 0 {
					t.Fatalf("no SYN: %v", err)
				}
			}
			syn() // of the first dial
			go dial()
			syn()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("cancel gave %v", err)
			}
			ctx = t.Context()
			go dial()
			syn()
			control.Close()
			if _, ended := errors.AsType[*Ended](<-done); !ended {
				t.Errorf("the end of the control socket gave %v", err)
			}
			if _, err := client.Dial(t.Context(), "tcp", "10.77.0.2:80", 0); err == nil {
				t.Error("a dial after the end succeeded")
			}
		})
	}
}

func TestDialEndsWithTheSession(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		tuntest.ServeTCP(t, d.agent, ":7", tuntest.Echo)
		var conns []net.Conn
		for _, network := range []string{"tcp", "udp"} {
			conns = append(conns, d.dial(t, network, "10.77.0.2:7", 0))
		}
		failed := make(chan error, len(conns))
		for _, c := range conns {
			go func() {
				_, err := c.Read(make([]byte, 1))
				failed <- err
			}()
		}
		d.session.Close()
		for range conns {
			ended, ok := errors.AsType[*Ended](<-failed)
			if !ok || ended.Session != "test" || ended.Why != "its server was stopped" {
				t.Errorf("Read gave %v", ended)
			}
		}
	})
}

func TestDialLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, d dialled) {
		tuntest.ServeTCP(t, d.agent, ":7", tuntest.Echo)
		d.dial(t, "tcp", "10.77.0.2:7", 0).Close()
		start := time.Now()
		for i := range 100 {
			c := d.dial(t, "tcp", "10.77.0.2:7", 0)
			if i%2 == 0 {
				io.WriteString(c, "hello")
				io.ReadFull(c, make([]byte, 5))
			}
			c.Close()
			d.dial(t, "udp", "10.77.0.2:7", 0).Close()
		}
		t.Logf("200 dials in %v", time.Since(start))
		d.control.upgraded.Wait() // all relays end
	})
}
