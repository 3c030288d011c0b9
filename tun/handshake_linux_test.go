package tun

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sockets returns both ends of a socket pair like that of a server and its holder.
func sockets(t *testing.T) (server, holder *net.UnixConn) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range pair {
		if ends[i], err = newSocket(fd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ends[i].Close() })
	}
	return ends[0], ends[1]
}

func TestReceive(t *testing.T) {
	closed := func(c *net.UnixConn) { c.Close() }
	answered := func(a answer) func(*net.UnixConn) {
		message, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		return func(c *net.UnixConn) { c.Write(message) }
	}
	for _, c := range []struct {
		name    string
		holder  func(*net.UnixConn) // after it has read the config
		timeout time.Duration
		is      error
		want    string
	}{
		{"late", func(*net.UnixConn) {}, -time.Second, os.ErrDeadlineExceeded, "no answer in 20s; try again"},
		{"silent", func(*net.UnixConn) {}, 10 * time.Millisecond, os.ErrDeadlineExceeded, "no answer in 20s; try again"},
		{"gone", closed, time.Minute, errNoAnswer, "it ended without an answer"},
		{"gone before", func(*net.UnixConn) {}, time.Minute, errNoAnswer, "it ended without an answer"},
		{"not an answer", func(c *net.UnixConn) { c.Write([]byte("hello")) }, time.Minute, nil, "decode the answer"},
		{"without descriptor", answered(answer{Name: "tun0"}), time.Minute, nil, "neither arrived"},
		{"refused", answered(answer{Refused: &refusal{What: "open it", Cause: "no such file", Errno: unix.ENOENT, Todo: "make it"}}), time.Minute,
			unix.ENOENT, "open it: no such file; make it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, holder := sockets(t)
			if c.name == "gone before" {
				holder.Close()
			}
			go func() {
				holder.Read(make([]byte, maxMessage))
				c.holder(holder)
			}()
			_, _, err := receive(server, Config{}, time.Now().Add(c.timeout))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("receive returned %v, want %q in it", err, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v does not wrap %v", err, c.is)
			}
		})
	}
}

func TestConfigCrossesTheSocket(t *testing.T) {
	for _, want := range []Config{
		(Config{}).withDefaults(),
		{Network: "private", Name: "wire0", Addr: prefix("192.0.2.1/30"), Addr6: prefix("2001:db8::1/64"), MTU: 65535},
	} {
		message, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Config
		if err := json.Unmarshal(message, &got); err != nil || got != want {
			t.Errorf("%+v arrived as %+v, %v", want, got, err)
		}
	}
}

// The error says why a holder ended without an answer, and names no functions of this
// package.
func TestUnanswered(t *testing.T) {
	for said, want := range map[string]string{
		"runtime: failed to create new OS thread (have 2 already; errno=11)\nruntime: may need to increase max user processes (ulimit -u)\nfatal error: newosproc\n": "it could not start its threads; allow this user more processes with ulimit -u",
		"runtime: cannot allocate memory\nfatal error: out of memory\n":                                                                                              "it had no memory; allow this program more",
		"tun-mcp-holder: take the server's socket\x1b[31m\nmore":                                                                                                     `exit status 2, "tun-mcp-holder: take the server's socket\x1b[31m"; try again, or use --network memory`,
		"": "it ended without an answer: exit status 2; try again, or use --network memory",
	} {
		err := unanswered("exit status 2", said)
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "RunHolder") {
			t.Errorf("after %q: %v, want %q", said, err, want)
		}
	}
	if got := remedy(unix.EAGAIN, func(string) string { return "" }); !strings.Contains(got, "ulimit -u") {
		t.Errorf("after a failed fork: %s", got)
	}
}
