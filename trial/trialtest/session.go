// Package trialtest opens a session in memory with an agent written by the test. It
// serves the tests of trial and its rooms.
package trialtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// patience is the longest that a test waits for something that must happen.
const patience = 20 * time.Second

// Never is a deadline that no test reaches.
const Never = time.Hour

// Open opens a session in memory, named test, and closes it at the end of the test. Its
// agent is called for each packet; a nil agent never reads.
func Open(t *testing.T, link tun.Config, agent func(s *session.Session, p session.Delivered)) *control.Client {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", tuntest.RuntimeDir(t))
	_, end, err := open("test", tuntest.OpenMemory(t, link), agent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	client, err := control.Find("test")
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Serve returns a function for subject.Config.Serve: it opens a session as Open does,
// with the name in the flags, and returns when the session has ended.
func Serve(t *testing.T, link tun.Config, agent func(s *session.Session, p session.Delivered)) func(context.Context, []string, func(session.Call)) error {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", tuntest.RuntimeDir(t))
	device := tuntest.OpenMemory(t, link)
	return func(ctx context.Context, flags []string, _ func(session.Call)) error {
		s, end, err := open(flags[slices.Index(flags, "--session")+1], device, agent)
		if err != nil {
			return err
		}
		defer end()
		select {
		case <-s.Done():
		case <-ctx.Done():
		}
		return nil
	}
}

// open opens a session on a device. The caller must call end.
func open(name string, device tun.Device, agent func(s *session.Session, p session.Delivered)) (s *session.Session, end func(), err error) {
	listener, err := control.Claim(name)
	if err != nil {
		return nil, nil, err
	}
	s = session.New(device, session.Config{Name: name})
	server := control.Serve(s, listener, func() session.Status {
		return s.Fill(session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2", Network: tun.NetworkMemory, Assist: "fix"})
	})
	played := make(chan struct{})
	go func() {
		defer close(played)
		for agent != nil {
			b, err := s.Read(context.Background(), session.ReadOptions{Timeout: time.Hour, Max: 1})
			if err != nil {
				return
			}
			for _, p := range b.Packets {
				agent(s, p)
			}
		}
	}()
	return s, func() { server.Close(); s.Close(); <-played }, nil
}

// Soon returns a context that ends after 20 s, or with the test.
func Soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Reply answers an echo request over IPv4. If wrong is not 0, it flips a bit of the
// byte at that offset.
func Reply(s *session.Session, p session.Delivered, wrong int) {
	b := append([]byte(nil), p.Data...)
	copy(b[12:], p.Data[16:20])
	copy(b[16:], p.Data[12:16])
	b[20] = 0
	if wrong > 0 {
		b[wrong] ^= 1
	}
	if fixed, err := packet.Fix(b); err == nil {
		_, _ = s.Write(context.Background(), fixed, p.Number) // fails if the session has ended
	}
}
