package control

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// watched starts a session of that name and returns a client of its control socket.
func watched(t *testing.T, name string) *Client {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	listener, err := Claim(name)
	if err != nil {
		t.Fatal(err)
	}
	s := session.New(tuntest.NewDevice(), session.Config{Name: name})
	server := Serve(s, listener, func() session.Status { return s.Fill(session.Status{}) })
	t.Cleanup(func() { s.Close(); server.Close() })
	client, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// EventsSince and Packet return recorded packets.
func TestEventsSince(t *testing.T) {
	client := watched(t, "since")
	inject := func() {
		if _, err := client.Inject(t.Context(), []byte{0x45, 1}); err != nil {
			t.Error(err)
		}
	}
	for range 5 {
		inject()
	}
	var numbers []int
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := client.EventsSince(ctx, 3, inject, func(e session.Event) bool {
		if e.Event == session.EventPacket {
			numbers = append(numbers, e.Number)
		}
		return e.Number < 6
	})
	if err != nil || len(numbers) != 4 || numbers[0] != 3 || numbers[3] != 6 {
		t.Errorf("numbers %v, %v; want 3 to 6", numbers, err)
	}

	p, err := client.Packet(ctx, 2)
	if err != nil || p.Number != 2 || p.Hex != "4501" || p.Answer != 0 || p.Summary == "" {
		t.Errorf("packet 2 is %+v, %v", p, err)
	}
	if _, err := client.Packet(ctx, 9); err == nil || !strings.Contains(err.Error(), "the record holds #1 to #6") {
		t.Errorf("packet 9: %v", err)
	}
}

// A session has one trial at a time, and takes the next one when it has ended.
func TestOneTrialAtATime(t *testing.T) {
	client := watched(t, "trials")
	trial := func() (cancel func(), ended chan error) {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		ready := make(chan struct{})
		ended = make(chan error, 1)
		go func() {
			ended <- client.TrialEvents(ctx, func() { close(ready) }, func(session.Event) bool { return true })
		}()
		select {
		case <-ready:
		case err := <-ended:
			t.Fatal(err)
		}
		return cancel, ended
	}
	end, ended := trial()
	err := client.TrialEvents(t.Context(), nil, func(session.Event) bool { return true })
	if err == nil || !strings.Contains(err.Error(), "session trials: another trial is running in it") {
		t.Errorf("the second trial: %v", err)
	}
	end()
	<-ended
	trial()
}
