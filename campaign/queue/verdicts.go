package queue

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Verdict is the result of a cell, with the trial's JSON if there was a trial.
type Verdict struct {
	Record record.Record   `json:"record"`
	Report json.RawMessage `json:"report,omitempty"`
}

// ErrTooLarge says that a verdict is larger than the server accepts.
var ErrTooLarge = errors.New("the trial's report is too large for the server; choose a smaller count in the plan")

// Publish stores a verdict on the server. A cell has one verdict: the server drops
// a second one, which is not an error. A verdict that is too large for one message
// is ErrTooLarge.
func (c *Campaign) Publish(ctx context.Context, v Verdict) error {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if err := json.NewEncoder(zip).Encode(v); err != nil {
		return fmt.Errorf("packing a verdict: %w", err)
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("packing a verdict: %w", err)
	}
	if limit := c.nc.MaxPayload(); limit > 0 && int64(packed.Len())+1024 > limit {
		return ErrTooLarge
	}
	m := &nats.Msg{Subject: c.verdictSubject(v.Record.Cell), Data: packed.Bytes(), Header: nats.Header{}}
	// The server drops a message whose id it has seen within the last hour. A record of
	// lost workers has no start, so a second one after Forget would have the same id.
	if !v.Record.Started.IsZero() {
		m.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s@%d", v.Record.Cell, v.Record.Started.UnixNano()))
	}
	if _, err := c.js.PublishMsg(ctx, m); err != nil && !alreadyThere(err) {
		return fmt.Errorf("handing in the verdict of %s: %w", v.Record.Cell, err)
	}
	return nil
}

// Judged reports whether the cell already has a verdict. Its worker may have died
// before it could remove the cell from the queue.
func (t *Task) Judged(ctx context.Context) (bool, error) {
	if !t.again {
		return false, nil
	}
	_, err := t.c.verdicts.GetLastMsgForSubject(ctx, t.c.verdictSubject(t.ID))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil, err
}

// collector is the name of the consumer that writes verdicts down. A verdict not
// confirmed within collectWait, because its start was killed, is delivered again.
// If the start was only slow, the verdict arrives twice, which does no harm.
const (
	collector   = "collector"
	collectWait = 2 * time.Second
)

// Collect calls each with every verdict, one at a time, until ctx ends. A verdict
// for which each returns an error is delivered again after 3 s, and so is one that
// comes when another start may have the claim: that start should get it.
func (c *Campaign) Collect(ctx context.Context, each func(Verdict) error) error {
	consumer, err := c.verdicts.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: collector, AckPolicy: jetstream.AckExplicitPolicy, AckWait: collectWait, MaxDeliver: -1, MaxAckPending: 64,
	})
	if err != nil {
		return fmt.Errorf("collecting the verdicts: %w", err)
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		v, err := unpack(m.Data())
		doubtful := c.doubtful()
		if err == nil && !doubtful {
			err = each(v)
		}
		if err != nil || doubtful {
			_ = m.NakWithDelay(3 * time.Second)
			return
		}
		_ = m.Ack() // if the ack is lost, the verdict comes again and each ignores it
	}, jetstream.PullMaxMessages(16))
	if err != nil {
		return fmt.Errorf("collecting the verdicts: %w", err)
	}
	context.AfterFunc(ctx, consuming.Stop)
	return nil
}

// Rewind makes Collect pass on all verdicts again if it has passed on some that the
// folder does not have: the folder is new, or has lost them.
func (c *Campaign) Rewind(ctx context.Context, has func(cell string) bool) error {
	judged, err := tokens(ctx, c.verdicts, c.verdictSubject("*"))
	if err != nil {
		return err
	}
	maps.DeleteFunc(judged, func(cell string, _ bool) bool { return has(cell) })
	left, err := c.Uncollected(ctx)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	if err != nil || len(judged) <= left {
		return err
	}
	if err := c.verdicts.DeleteConsumer(ctx, collector); err != nil {
		return fmt.Errorf("collecting the verdicts again: %w", err)
	}
	return nil
}

// Uncollected returns how many verdicts Collect has not passed on yet.
func (c *Campaign) Uncollected(ctx context.Context) (int, error) {
	consumer, err := c.verdicts.Consumer(ctx, collector)
	if err != nil {
		return 0, fmt.Errorf("looking for verdicts: %w", err)
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("looking for verdicts: %w", err)
	}
	return int(info.NumPending) + info.NumAckPending, nil
}

func unpack(data []byte) (Verdict, error) {
	var v Verdict
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return v, fmt.Errorf("reading a verdict: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(zip, 2*score.MaxReportBytes))
	if err == nil {
		err = json.Unmarshal(plain, &v)
	}
	if err != nil {
		return v, fmt.Errorf("reading a verdict: %w", err)
	}
	return v, nil
}
