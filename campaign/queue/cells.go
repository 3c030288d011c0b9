package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
)

// Limit creates the work queue of an agent, or changes its limits: at most parallel
// of its cells run at once, over all machines, and a cell without a heartbeat for
// one lease is given out again.
func (c *Campaign) Limit(ctx context.Context, agent string, parallel int, lease time.Duration) error {
	_, err := c.cells.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: agent, FilterSubject: c.cellSubject(agent, "*"), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: lease, MaxAckPending: parallel, MaxDeliver: -1, MaxWaiting: 4096,
	})
	if err != nil {
		return fmt.Errorf("creating the queue of the agent %s: %w", agent, err)
	}
	return nil
}

// Fill adds the missing cells that have not ended to the queue, removes those that
// have, and returns how many it added. After any crash, it leaves every cell that
// has not ended in the queue exactly once.
func (c *Campaign) Fill(ctx context.Context, cells []plan.Cell, ended func(cell string) bool) (int, error) {
	queued, err := tokens(ctx, c.cells, c.cellSubject("*", "*"))
	if err != nil {
		return 0, err
	}
	judged, err := tokens(ctx, c.verdicts, c.verdictSubject("*"))
	if err != nil {
		return 0, err
	}
	filled := 0
	var waiting []jetstream.PubAckFuture
	settle := func() error {
		for _, future := range waiting {
			select {
			case <-future.Ok():
				filled++
			case err := <-future.Err():
				if !alreadyThere(err) {
					return fmt.Errorf("putting the cells into the queue: %w", err)
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		waiting = waiting[:0]
		return nil
	}
	for _, cell := range cells {
		over := ended(cell.ID) || judged[cell.ID]
		switch {
		case over && queued[cell.ID]:
			if err := c.cells.Purge(ctx, jetstream.WithPurgeSubject(c.cellSubject(cell.Agent, cell.ID))); err != nil {
				return filled, fmt.Errorf("removing ended cells from the queue: %w", err)
			}
			continue
		case over || queued[cell.ID]:
			continue
		}
		data, err := json.Marshal(cell)
		if err != nil {
			return filled, err
		}
		// The id contains the time, so that a cell that was lost from the queue can
		// be added again: the server would reject an id that it has seen.
		m := &nats.Msg{Subject: c.cellSubject(cell.Agent, cell.ID), Data: data, Header: nats.Header{}}
		m.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s@%d", cell.ID, time.Now().UnixNano()))
		future, err := c.js.PublishMsgAsync(m)
		if err != nil {
			return filled, fmt.Errorf("putting the cells into the queue: %w", err)
		}
		if waiting = append(waiting, future); len(waiting) == 1000 {
			if err := settle(); err != nil {
				return filled, err
			}
		}
	}
	return filled, settle()
}

// Drop removes all cells of an agent from the queue.
func (c *Campaign) Drop(ctx context.Context, agent string) error {
	if err := c.cells.Purge(ctx, jetstream.WithPurgeSubject(c.cellSubject(agent, "*"))); err != nil {
		return fmt.Errorf("removing the cells of %s from the queue: %w", agent, err)
	}
	return nil
}

// Forget removes the verdicts and tries of cells, so that the cells can run again.
func (c *Campaign) Forget(ctx context.Context, cells []string) error {
	for _, cell := range cells {
		if err := c.verdicts.Purge(ctx, jetstream.WithPurgeSubject(c.verdictSubject(cell))); err != nil {
			return fmt.Errorf("removing the verdict of %s: %w", cell, err)
		}
		if err := c.kept.Delete(ctx, "tries."+cell); err != nil {
			return fmt.Errorf("removing the tries of %s: %w", cell, err)
		}
	}
	return nil
}

// tokens returns the last token of every subject in the stream that has a message
// and matches subjects.
func tokens(ctx context.Context, stream jetstream.Stream, subjects string) (map[string]bool, error) {
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(subjects))
	if err != nil {
		return nil, fmt.Errorf("looking at the queue: %w", err)
	}
	found := make(map[string]bool, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		found[subject[strings.LastIndexByte(subject, '.')+1:]] = true
	}
	return found, nil
}

// alreadyThere reports whether err says that the subject already has a message.
func alreadyThere(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && strings.Contains(api.Description, "maximum messages per subject")
}

// Task is a cell that this worker has taken. The worker keeps it as long as a
// Heartbeat succeeds within each lease.
type Task struct {
	plan.Cell
	again bool // it was given out before
	c     *Campaign
	msg   jetstream.Msg
}

// Take takes a cell of an agent. It returns nil if there is none at the moment or
// the agent's limit is reached.
func (c *Campaign) Take(ctx context.Context, agent string) (*Task, error) {
	consumer := c.agents[agent]
	if consumer == nil {
		var err error
		if consumer, err = c.cells.Consumer(ctx, agent); err != nil {
			return nil, fmt.Errorf("taking a cell of %s: %w", agent, err)
		}
		c.agents[agent] = consumer
	}
	batch, err := consumer.FetchNoWait(1)
	if err != nil {
		return nil, fmt.Errorf("taking a cell of %s: %w", agent, err)
	}
	msg, ok := <-batch.Messages()
	if !ok {
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) && !errors.Is(err, jetstream.ErrNoMessages) {
			return nil, fmt.Errorf("taking a cell of %s: %w", agent, err)
		}
		return nil, nil
	}
	t := &Task{c: c, msg: msg}
	if meta, err := msg.Metadata(); err == nil {
		t.again = meta.NumDelivered > 1
	}
	if err := json.Unmarshal(msg.Data(), &t.Cell); err != nil { // written by another version
		return nil, errors.Join(fmt.Errorf("reading a cell from the queue: %w", err), msg.Term())
	}
	return t, nil
}

// Heartbeat keeps the cell for another lease. It returns nil once the server has
// confirmed that.
func (t *Task) Heartbeat(ctx context.Context) error {
	_, err := t.c.nc.RequestWithContext(ctx, t.msg.Reply(), []byte("+WPI"))
	return err
}

// Ended removes the cell from the queue.
func (t *Task) Ended(ctx context.Context) error { return t.msg.DoubleAck(ctx) }

// GiveBack returns the cell to the queue, to be given out again after this time.
func (t *Task) GiveBack(after time.Duration) error {
	if after <= 0 {
		return t.msg.Nak()
	}
	return t.msg.NakWithDelay(after)
}
