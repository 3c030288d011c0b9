package trial

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun"
)

// patience is how long a test waits for what must come, at most.
const patience = 20 * time.Second

// never is a deadline that no test waits for.
const never = time.Hour

// testField is a field in memory whose agent is a function that is given each
// packet; nil: an agent that never reads.
func testField(t *testing.T, deadline time.Duration, agent func(s *session.Session, p session.Delivered)) *Field {
	return testFieldOn(t, tun.Config{}, deadline, agent)
}

// testFieldOn is testField on a link that is configured otherwise.
func testFieldOn(t *testing.T, link tun.Config, deadline time.Duration, agent func(s *session.Session, p session.Delivered)) *Field {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm") // short: a socket's path has 103 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	link.Network = tun.NetworkMemory
	device, err := tun.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := control.Claim("test")
	if err != nil {
		t.Fatal(err)
	}
	s := session.New(device, session.Config{Name: "test"})
	server := control.Serve(s, listener, func() session.Status {
		return s.Fill(session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2"})
	})
	played := make(chan struct{})
	t.Cleanup(func() { server.Close(); s.Close(); <-played })
	client, err := control.Find("test")
	if err != nil {
		t.Fatal(err)
	}
	record, err := watch(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
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
	return &Field{Session: client, Status: status, Settings: score.Settings{Count: 3, Interval: 1, Deadline: score.Milliseconds(deadline)},
		Rand: rand.New(rand.NewPCG(1, 1)), record: record}
}

// soon is a context that ends with the test's patience.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// reply answers an echo request over IPv4, with one byte changed at an offset
// if that is not 0.
func reply(s *session.Session, p session.Delivered, wrong int) {
	b := append([]byte(nil), p.Data...)
	copy(b[12:], p.Data[16:20])
	copy(b[16:], p.Data[12:16])
	b[20] = 0
	if wrong > 0 {
		b[wrong] ^= 1
	}
	if fixed, err := packet.Fix(b); err == nil {
		_, _ = s.Write(context.Background(), fixed, p.Number) // a session that has ended takes none
	}
}
