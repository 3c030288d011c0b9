package tun_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestDialErrors(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		newAgent(t, link)
		for _, c := range []struct {
			network, address string
			ttl              int
			want             error
		}{
			{"tcp", "10.77.0.2:81", 0, syscall.ECONNREFUSED},
			{"tcp", "[2001:db8:77::2]:81", 0, syscall.ECONNREFUSED},
			{"tcp", "192.0.2.1:80", 0, syscall.ENETUNREACH},
			{"udp", "192.0.2.1:80", 0, syscall.ENETUNREACH},
			{"ip4", "10.77.0.2", 0, net.UnknownNetworkError("ip4")},
			{"tcp", "agent:80", 0, nil},
			{"tcp", "10.77.0.2", 0, nil},
			{"tcp", "10.77.0.2:http", 0, nil},
			{"tcp", ":80", 0, nil},
			{"tcp", "0.0.0.0:80", 0, nil},
			{"tcp6", "10.77.0.2:80", 0, nil},
			{"udp4", "[2001:db8:77::2]:80", 0, nil},
			{"tcp", "[fe80::1%tun0]:80", 0, nil},
			{"udp", "10.77.0.2:7", 256, nil},
			{"udp", "10.77.0.2:7", -1, nil},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), tuntest.Limit)
			conn, err := link.DialContext(ctx, c.network, c.address, c.ttl)
			cancel()
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%+v: %v, %v", c, conn, err)
				continue
			}
			if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "dial" || op.Addr.String() != c.address {
				t.Errorf("%+v: %#v is not a *net.OpError of a dial", c, err)
			}
		}
	})
}

func TestDialUDPRefused(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		newAgent(t, link)
		for _, address := range []string{"10.77.0.2:81", "[2001:db8:77::2]:81"} {
			c := dial(t, link, "udp", address, 0)
			if _, err := c.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: Read returned %v", address, err)
			}
		}
	})
}

// A dial without an answer ends with its context.
func TestDialCutShort(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := link.DialContext(ctx, "tcp", "10.77.0.2:80", 0)
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		if n, ok := errors.AsType[net.Error](err); !ok || !n.Timeout() {
			t.Errorf("%v is not a timeout", err)
		}

		ctx, cancel = context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := link.DialContext(ctx, "tcp", "10.77.0.2:80", 0)
			done <- err
		}()
		if _, err := link.Read(make([]byte, 65535)); err != nil { // the SYN, which waits for an answer
			t.Fatal(err)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after a cancel: %v", err)
		}
		if _, err := link.DialContext(ctx, "tcp", "10.77.0.2:80", 0); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context returned %v", err)
		}
	})
}

func TestDialReset(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		tuntest.ServeTCP(t, newAgent(t, link), ":80", func(c net.Conn) {
			c.Read(make([]byte, 1)) // unread data makes the close a reset
		})
		c := dial(t, link, "tcp", "10.77.0.2:80", 0)
		io.WriteString(c, "data that nobody wants")
		if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read returned %v", err)
		}
	})
}

func TestDialDeadlines(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		c := dial(t, link, "udp", "10.77.0.2:53", 0)
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read returned %v", err)
		}
		c.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close returned %v", err)
		}
	})
}

// Closing a link ends a pending dial, and later dials fail.
func TestDialOnClosedLink(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		done := make(chan error, 1)
		go func() {
			_, err := link.DialContext(t.Context(), "tcp", "10.77.0.2:80", 0)
			done <- err
		}()
		if _, err := link.Read(make([]byte, 65535)); err != nil { // the SYN
			t.Fatal(err)
		}
		link.Close()
		if err := <-done; !errors.Is(err, os.ErrClosed) {
			t.Errorf("the pending dial returned %v", err)
		}
		if _, err := link.DialContext(t.Context(), "udp", "10.77.0.2:53", 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a dial after Close returned %v", err)
		}
	})
}

func TestDialOnFakeDevice(t *testing.T) {
	link := &tun.Link{Device: tuntest.NewDevice()}
	if _, err := link.DialContext(t.Context(), "tcp", "10.77.0.2:80", 0); err == nil {
		t.Error("dialled on a device without a stack")
	}
}
