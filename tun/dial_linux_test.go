package tun_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// openFiles returns how many descriptors a process has open.
func openFiles(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// openFilesAre waits until a process has as many descriptors open as before. A link of
// an earlier test or a late answer may still be closing.
func openFilesAre(t *testing.T, pid, before int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		now := openFiles(t, pid)
		if now <= before {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("process %d has %d descriptors open, had %d before", pid, now, before)
			return
		}
	}
}

func TestDialLeavesNoDescriptor(t *testing.T) {
	link := tuntest.OpenPrivate(t, tuntest.Both)
	tuntest.ServeTCP(t, newAgent(t, link), ":7", tuntest.Echo)
	dial(t, link, "tcp", "10.77.0.2:7", 0).Close() // the runtime opens descriptors that it keeps
	server, holder := openFiles(t, os.Getpid()), openFiles(t, link.Holder)
	start := time.Now()
	for i := range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), tuntest.Limit)
		port := []string{"7", "81"}[i%2] // 81 is refused
		c, err := link.DialContext(ctx, "tcp", "10.77.0.2:"+port, 0)
		switch {
		case err == nil:
			c.Close()
		case i%2 == 0 || !errors.Is(err, syscall.ECONNREFUSED):
			t.Errorf("dial %d: %v", i, err)
		}
		cancel()
		u := dial(t, link, "udp", "10.77.0.2:7", i)
		u.Close()
	}
	t.Logf("200 dials in %v", time.Since(start))
	openFilesAre(t, os.Getpid(), server)
	openFilesAre(t, link.Holder, holder)
}

func TestDialGivesTheKernelsConnections(t *testing.T) {
	link := tuntest.OpenPrivate(t, tuntest.Both)
	tuntest.ServeTCP(t, newAgent(t, link), ":7", tuntest.Echo)
	c, ok := dial(t, link, "tcp", "10.77.0.2:7", 0).(*net.TCPConn)
	if !ok {
		t.Fatal("not a *net.TCPConn")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if on, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE); on != 0 || err != nil {
			t.Errorf("keep-alive is %d, %v", on, err)
		}
	})
	if _, ok := dial(t, link, "udp", "10.77.0.2:7", 0).(*net.UDPConn); !ok {
		t.Error("not a *net.UDPConn")
	}
}

func TestDialAtTheSameTime(t *testing.T) {
	link := tuntest.OpenPrivate(t, tuntest.Both)
	tuntest.ServeTCP(t, newAgent(t, link), ":7", tuntest.Echo)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), tuntest.Limit)
			defer cancel()
			if i%4 == 0 { // gives up at any moment
				short, stop := context.WithTimeout(ctx, time.Duration(i)*10*time.Microsecond)
				defer stop()
				if c, err := link.DialContext(short, "tcp", "10.77.0.2:7", 0); err == nil {
					c.Close()
				}
				return
			}
			c, err := link.DialContext(ctx, "tcp", "10.77.0.2:7", 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(tuntest.Limit))
			p := []byte{byte(i)}
			c.Write(p)
			if _, err := io.ReadFull(c, p); err != nil || p[0] != byte(i) {
				t.Errorf("connection %d got %d, %v", i, p[0], err)
			}
		})
	}
	all.Wait()
}

// If the holder is killed, the link ends, including a pending dial.
func TestDialHolderKilled(t *testing.T) {
	link := tuntest.OpenPrivate(t, tuntest.Both)
	done := make(chan error, 1)
	go func() {
		_, err := link.DialContext(t.Context(), "tcp", "10.77.0.2:80", 0)
		done <- err
	}()
	if _, err := link.Read(make([]byte, 65535)); err != nil { // the SYN
		t.Fatal(err)
	}
	pending := blockedRead(link)
	tuntest.Signal(t, link.Holder, unix.SIGKILL)
	why := fmt.Sprintf("the holder of the private network (process %d) ended", link.Holder)
	closed(t, wait(t, done), "dial tcp 10.77.0.2:80: "+why)
	closed(t, wait(t, pending), why)
	_, err := link.DialContext(t.Context(), "tcp", "10.77.0.2:80", 0)
	closed(t, err, why)
	link.Close()
	reaped(t, link.Holder)
}

// If the holder does not react, a dial still ends with its context.
func TestDialHolderStopped(t *testing.T) {
	link := tuntest.OpenPrivate(t, tuntest.Both)
	files := openFiles(t, os.Getpid())
	freeze(t, link)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := link.DialContext(ctx, "udp", "10.77.0.2:53", 0); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the dial returned %v", err)
		}
		cancel()
	}
	tuntest.Signal(t, link.Holder, unix.SIGCONT)
	// The late answers come first, and none of them is mistaken for this one's.
	c, err := link.DialContext(t.Context(), "tcp", "10.77.0.1:1", 0)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the peer's own closed port returned %v, %v", c, err)
	}
	openFilesAre(t, os.Getpid(), files)
}

func TestDialHost(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	link := openHost(t, tun.Config{})
	tuntest.ServeTCP(t, newAgent(t, link), ":7", tuntest.Echo)
	c := dial(t, link, "tcp", "10.77.0.2:7", 9)
	io.WriteString(c, "hello")
	c.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), tuntest.Limit)
	defer cancel()
	if _, err := link.DialContext(ctx, "tcp", "10.77.0.2:81", 0); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port returned %v", err)
	}
	if _, err := link.DialContext(ctx, "tcp", "192.0.2.1:80", 0); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("nowhere returned %v", err)
	}
	cancel()
	if _, err := link.DialContext(ctx, "tcp", "10.77.0.2:7", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context returned %v", err)
	}
}
