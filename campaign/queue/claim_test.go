package queue

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// Only one start at a time holds the claim. Another gets it when the first has
// released it, or has not renewed it for a lease.
func TestClaim(t *testing.T) {
	t.Parallel()
	const lease = 3 * time.Second
	server := embed(t, t.TempDir())
	first, second := create(t, server, "c"), create(t, server, "c")
	work, end := context.WithCancel(t.Context())
	if err := first.Claim(work, work, "one", lease); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := second.Claim(t.Context(), t.Context(), "two", lease); !errors.Is(err, record.ErrLocked) || !strings.Contains(err.Error(), "(one)") {
			t.Fatalf("a second claim while the first is held: %v", err)
		}
	}
	end()
	third, finish := context.WithCancel(t.Context())
	defer finish()
	if err := second.Claim(third, third, "two", lease); err != nil {
		t.Fatalf("after the first was released: %v", err)
	}
	second.nc.Close() // as if the process died
	if err := create(t, server, "c").Claim(t.Context(), t.Context(), "three", lease); err != nil {
		t.Errorf("after the second start died: %v", err)
	}
}

// Ctrl-C ends the wait for the claim of a process that has died.
func TestStopWaitingForClaim(t *testing.T) {
	t.Parallel()
	server := embed(t, t.TempDir())
	if err := create(t, server, "c").Claim(t.Context(), t.Context(), "one", time.Hour); err != nil {
		t.Fatal(err)
	}
	stop, end := context.WithCancel(t.Context())
	ended, second := make(chan error, 1), create(t, server, "c")
	go func() { ended <- second.Claim(t.Context(), stop, "two", time.Hour) }()
	end()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "stopped while waiting for another start (one) to end") {
			t.Errorf("Claim returns %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Claim has not returned within 20 s")
	}
}

// Leave returns only when the claim is released, so the next start need not wait.
func TestLeaveReleases(t *testing.T) {
	t.Parallel()
	server := embed(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for n := range 4 {
		c := create(t, server, "c")
		work, end := context.WithCancel(ctx)
		if err := c.Claim(work, work, "one", time.Hour); err != nil {
			t.Fatalf("claim %d: %v", n+1, err)
		}
		end()
		c.Leave()
	}
}

// A start that another has replaced learns that, and leaves the other the claim. As
// soon as its claim is doubtful, it takes no verdict.
func TestLostClaim(t *testing.T) {
	t.Parallel()
	server := embed(t, t.TempDir())
	first, second := create(t, server, "c"), create(t, server, "c")
	if err := first.Claim(t.Context(), t.Context(), "one", 4*time.Second); err != nil || first.Held() != nil {
		t.Fatal(err, first.Held())
	}
	first.claim.renewed.Store(time.Now().Add(-5 * time.Second).UnixNano()) // it slept
	held, err := first.kept.Get(t.Context(), claimKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.kept.Update(t.Context(), claimKey, []byte("two"), held.Revision()); err != nil {
		t.Fatal(err)
	}
	took := make(chan string, 4)
	if err := first.Collect(t.Context(), func(Verdict) error { took <- "one"; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := second.Publish(t.Context(), verdictOf(cellsOf("a", 1)[0], time.Now())); err != nil {
		t.Fatal(err)
	}
	select {
	case <-first.claim.released:
	case <-time.After(20 * time.Second):
		t.Fatal("the first start has not noticed within 20 s")
	}
	if err := first.Held(); !errors.Is(err, record.ErrLocked) || !strings.Contains(err.Error(), "(two)") {
		t.Errorf("the first start is told %v", err)
	}
	if held, err := second.kept.Get(t.Context(), claimKey); err != nil || string(held.Value()) != "two" {
		t.Errorf("the claim is %v, %v", held, err)
	}
	if err := second.Collect(t.Context(), func(Verdict) error { took <- "two"; return nil }); err != nil {
		t.Fatal(err)
	}
	first.nc.Close()
	select {
	case who := <-took:
		if who != "two" {
			t.Errorf("%s took the verdict", who)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody took the verdict within 20 s")
	}
}
