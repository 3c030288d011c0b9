package queue

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// claimKey holds the name of the process that has the claim.
const claimKey = "start"

// claim is what this process knows about its claim.
type claim struct {
	lease    time.Duration
	renewed  atomic.Int64           // when the server last confirmed it: wall-clock time, Unix nanoseconds
	lost     atomic.Pointer[string] // who has it now, or nil
	released chan struct{}          // closed when it has been released or is lost
}

// Claim makes this process the campaign's only start until ctx ends, on a server
// that other machines use too. It renews the claim four times per lease. If
// another process holds the claim, Claim waits for one lease: a claim that was not
// renewed belongs to a dead process and is taken over; otherwise the error is
// record.ErrLocked. The end of stop ends the wait. Leave waits for the release.
func (c *Campaign) Claim(ctx, stop context.Context, who string, lease time.Duration) error {
	revision, err := c.kept.Create(ctx, claimKey, []byte(who))
	for errors.Is(err, jetstream.ErrKeyExists) {
		if revision, err = c.takeOver(ctx, stop, who, lease); errors.Is(err, jetstream.ErrKeyNotFound) { // released meanwhile
			revision, err = c.kept.Create(ctx, claimKey, []byte(who))
		}
	}
	if err != nil {
		return fmt.Errorf("claiming the campaign: %w", err)
	}
	c.claim = &claim{lease: lease, released: make(chan struct{})}
	c.claim.renewed.Store(time.Now().UnixNano())
	go c.keepClaim(ctx, who, revision)
	return nil
}

// keepClaim renews the claim until ctx ends, and then releases it. It returns early
// if another process has taken the claim over.
func (c *Campaign) keepClaim(ctx context.Context, who string, revision uint64) {
	defer close(c.claim.released)
	tick := time.NewTicker(c.claim.lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// Not cut short by the end of ctx: whether it succeeded has to be known then.
			renewing, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.claim.lease)
			next, err := c.renew(renewing, who, revision)
			cancel()
			if c.claim.lost.Load() != nil {
				return
			}
			if err == nil { // otherwise the server did not answer
				revision = next
				c.claim.renewed.Store(time.Now().UnixNano())
			}
		case <-ctx.Done():
			leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = c.kept.Delete(leaving, claimKey, jetstream.LastRevision(revision))
			return
		}
	}
}

// renew renews the claim and returns its new revision. If another process has taken
// it over, renew notes that.
func (c *Campaign) renew(ctx context.Context, who string, revision uint64) (uint64, error) {
	next, err := c.kept.Update(ctx, claimKey, []byte(who), revision)
	if err == nil {
		return next, nil
	}
	held, err := c.kept.Get(ctx, claimKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		other := "it has ended since"
		c.claim.lost.Store(&other)
		return 0, err
	case err != nil:
		return 0, err
	case string(held.Value()) != who:
		other := string(held.Value())
		c.claim.lost.Store(&other)
	}
	return held.Revision(), nil // an earlier update succeeded, but its answer was lost
}

// Held returns record.ErrLocked if another start has taken over this one's claim,
// because this one was silent for a lease: its machine slept, for example.
func (c *Campaign) Held() error {
	if c.claim == nil || c.claim.lost.Load() == nil {
		return nil
	}
	return fmt.Errorf("this start was silent for longer than --lease, so another took over: %w (%s)", record.ErrLocked, *c.claim.lost.Load())
}

// doubtful reports whether another start may have taken the claim over by now. The
// monotonic clock stops while the machine sleeps, so this is by the wall clock.
func (c *Campaign) doubtful() bool {
	return c.claim != nil && time.Now().UnixNano()-c.claim.renewed.Load() > int64(c.claim.lease)
}

// takeOver waits for one lease and takes the claim over if nobody has renewed it. It
// returns jetstream.ErrKeyNotFound if the claim is released before or meanwhile.
func (c *Campaign) takeOver(ctx, stop context.Context, who string, lease time.Duration) (revision uint64, err error) {
	held, err := c.kept.Get(ctx, claimKey)
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(lease):
	case <-stop.Done():
		return 0, fmt.Errorf("stopped while waiting for another start (%s) to end; start again to continue", held.Value())
	}
	if revision, err = c.kept.Update(ctx, claimKey, []byte(who), held.Revision()); err == nil {
		return revision, nil
	}
	if _, err := c.kept.Get(ctx, claimKey); errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, err
	}
	return 0, fmt.Errorf("%w (%s)", record.ErrLocked, held.Value())
}
