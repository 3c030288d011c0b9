package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// Tries are the attempts at a cell so far, by all workers.
type Tries struct {
	Failed []record.Try `json:"failed,omitempty"` // attempts that produced no trial
	Waits  int          `json:"waits,omitempty"`  // how often the provider was overloaded
	Spent  float64      `json:"spent,omitempty"`  // dollars, in those attempts
	Under  *UnderWay    `json:"under_way,omitempty"`
}

// UnderWay is a running attempt. If another worker finds it, the attempt was lost
// together with its worker.
type UnderWay struct {
	Worker string    `json:"worker"`
	At     time.Time `json:"at"`
}

// Tries returns the attempts noted for the cell.
func (t *Task) Tries(ctx context.Context) (Tries, error) {
	var tries Tries
	if !t.again {
		return tries, nil
	}
	entry, err := t.c.kept.Get(ctx, "tries."+t.ID)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return tries, nil
	}
	if err == nil {
		err = json.Unmarshal(entry.Value(), &tries)
	}
	if err != nil {
		return tries, fmt.Errorf("reading the tries of %s: %w", t.ID, err)
	}
	return tries, nil
}

// Note stores the cell's attempts for the next worker that takes it.
func (t *Task) Note(ctx context.Context, tries Tries) error {
	data, err := json.Marshal(tries)
	if err == nil {
		_, err = t.c.kept.Put(ctx, "tries."+t.ID, data)
	}
	if err != nil {
		return fmt.Errorf("storing the tries of %s: %w", t.ID, err)
	}
	return nil
}
