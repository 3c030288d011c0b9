package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// prefix is the prefix of the names of a campaign's streams and buckets.
const prefix = "tun-mcp-"

// Campaign is a campaign on a NATS server. Create and Join make one.
type Campaign struct {
	Name     string
	nc       *nats.Conn
	js       jetstream.JetStream
	cells    jetstream.Stream
	verdicts jetstream.Stream
	kept     jetstream.KeyValue // the state, and each cell's tries
	agents   map[string]jetstream.Consumer
	claim    *claim // nil without one
}

func (c *Campaign) cellSubject(agent, cell string) string {
	return prefix + c.Name + ".cells." + agent + "." + cell
}
func (c *Campaign) verdictSubject(cell string) string { return prefix + c.Name + ".verdicts." + cell }
func (c *Campaign) aliveSubject() string              { return prefix + c.Name + ".alive" }

// Create creates the campaign's streams and bucket on the server, or opens them if
// they exist. replicas is the number of copies that a cluster keeps of each
// message.
func Create(ctx context.Context, nc *nats.Conn, name string, replicas int) (*Campaign, error) {
	c := &Campaign{Name: name, nc: nc, agents: make(map[string]jetstream.Consumer)}
	var err error
	if c.js, err = jetstream.New(nc); err != nil {
		return nil, err
	}
	const window = time.Hour // MaxMsgsPerSubject has no such time limit
	common := jetstream.StreamConfig{
		Storage: jetstream.FileStorage, Replicas: replicas, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, Duplicates: window,
	}
	cells, verdicts := common, common
	cells.Name, cells.Subjects, cells.Retention = prefix+name+"-cells", []string{c.cellSubject("*", "*")}, jetstream.WorkQueuePolicy
	verdicts.Name, verdicts.Subjects = prefix+name+"-verdicts", []string{c.verdictSubject("*")}
	if c.cells, err = c.js.CreateOrUpdateStream(ctx, cells); err == nil {
		c.verdicts, err = c.js.CreateOrUpdateStream(ctx, verdicts)
	}
	if err == nil {
		c.kept, err = c.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: prefix + name, Storage: jetstream.FileStorage, Replicas: replicas})
	}
	if err != nil {
		return nil, fmt.Errorf("creating the campaign's queue: %w", err)
	}
	return c, nil
}

// Own notes the hash of the campaign's plan on the server. If the server has a
// campaign of the same name and another plan, Own returns an error.
func (c *Campaign) Own(ctx context.Context, hash string) error {
	_, err := c.kept.Create(ctx, "plan", []byte(hash))
	if errors.Is(err, jetstream.ErrKeyExists) {
		var entry jetstream.KeyValueEntry
		if entry, err = c.kept.Get(ctx, "plan"); err == nil && string(entry.Value()) != hash {
			return fmt.Errorf("the server already has another campaign named %s, with another plan; choose another name in the plan", c.Name)
		}
	}
	if err != nil {
		return fmt.Errorf("noting the plan on the server: %w", err)
	}
	return nil
}

// Join opens an existing campaign on a server. An empty name means the only one
// there.
func Join(ctx context.Context, nc *nats.Conn, name string) (*Campaign, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	if name == "" {
		if name, err = onlyOne(ctx, js); err != nil {
			return nil, err
		}
	}
	c := &Campaign{Name: name, nc: nc, js: js, agents: make(map[string]jetstream.Consumer)}
	if c.cells, err = js.Stream(ctx, prefix+name+"-cells"); err == nil {
		c.verdicts, err = js.Stream(ctx, prefix+name+"-verdicts")
	}
	if err == nil {
		c.kept, err = js.KeyValue(ctx, prefix+name)
	}
	if err != nil {
		return nil, fmt.Errorf("joining the campaign %s: %w", name, err)
	}
	return c, nil
}

var errSeveral = errors.New("there are several campaigns on this server")

// onlyOne returns the name of the only campaign on the server.
func onlyOne(ctx context.Context, js jetstream.JetStream) (string, error) {
	var names []string
	list := js.KeyValueStoreNames(ctx)
	for bucket := range list.Name() {
		if name, ok := strings.CutPrefix(bucket, "KV_"+prefix); ok {
			names = append(names, name)
		} else if name, ok := strings.CutPrefix(bucket, prefix); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch {
	case list.Error() != nil:
		return "", fmt.Errorf("looking for a campaign: %w", list.Error())
	case len(names) == 0:
		return "", errors.New("there is no campaign on this server: start one first")
	case len(names) > 1:
		return "", fmt.Errorf("%w: choose one with --name: %s", errSeveral, strings.Join(names, ", "))
	}
	return names[0], nil
}

// Phases of a campaign.
const (
	Running   = "running"
	Paused    = "paused"    // no start is running: workers take no new cell, and wait
	Cancelled = "cancelled" // workers stop their trials and exit
	Finished  = "done"      // workers exit
)

// State is the campaign's state, which the start publishes to all workers.
type State struct {
	Phase  string        `json:"phase"`
	Why    string        `json:"why,omitempty"`
	Lease  time.Duration `json:"lease"` // nanoseconds; if a worker is silent for longer, its cells go to others
	Agents []string      `json:"agents"`

	// The plan's limits at this start. Those of a cell in the queue may be of an earlier one.
	Longest time.Duration `json:"longest"` // nanoseconds: limits.trial
	Wait    time.Duration `json:"wait"`    // nanoseconds: limits.wait
}

const stateKey = "state"

// SetState stores the state for all workers.
func (c *Campaign) SetState(ctx context.Context, s State) error {
	data, err := json.Marshal(s)
	if err == nil {
		_, err = c.kept.Put(ctx, stateKey, data)
	}
	if err != nil {
		return fmt.Errorf("telling the workers that the campaign is %s: %w", s.Phase, err)
	}
	return nil
}

// stateEvery is how often a worker asks for the state. A NATS watch would not
// survive a restart of the server.
const stateEvery = time.Second

// WatchState calls told with the state, at once and after every change, until ctx
// ends. If the start has not set a state yet, the first call comes later.
func (c *Campaign) WatchState(ctx context.Context, told func(State)) error {
	var revision uint64
	look := func() error {
		asking, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		entry, err := c.kept.Get(asking, stateKey)
		if err != nil || entry.Revision() == revision {
			return err
		}
		var s State
		if err := json.Unmarshal(entry.Value(), &s); err != nil {
			return err
		}
		revision = entry.Revision()
		told(s)
		return nil
	}
	if err := look(); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("asking for the campaign's state: %w", err)
	}
	go func() {
		tick := time.NewTicker(stateEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = look() // if the server does not answer, ask again
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

// Alive is a worker's heartbeat, published about every second.
type Alive struct {
	Worker  string   `json:"worker"`
	Running []string `json:"running"`           // cells
	Trouble string   `json:"trouble,omitempty"` // what prevents it from working
	Left    bool     `json:"left,omitempty"`    // the worker exits, and this is its last heartbeat

	Lacks map[string]string `json:"lacks,omitempty"` // agents that cannot start there, because their client is not installed, and what they said
}

// Tell publishes this worker's heartbeat. A lost one does no harm.
func (c *Campaign) Tell(a Alive) {
	if data, err := json.Marshal(a); err == nil && c.nc.IsConnected() {
		_ = c.nc.Publish(c.aliveSubject(), data)
	}
}

// Hear calls told with the workers' heartbeats, until ctx ends.
func (c *Campaign) Hear(ctx context.Context, told func(Alive)) error {
	sub, err := c.nc.Subscribe(c.aliveSubject(), func(m *nats.Msg) {
		var a Alive
		if json.Unmarshal(m.Data, &a) == nil {
			told(a)
		}
	})
	if err != nil {
		return fmt.Errorf("listening to the workers: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() })
	return nil
}

// Flush waits until everything published has been sent, or ctx ends.
func (c *Campaign) Flush(ctx context.Context) { _ = c.nc.FlushWithContext(ctx) }

// Leave waits up to 2 s until the claim is released, if its ctx has ended, sends
// what is still buffered, for up to 2 s, and closes the connection.
func (c *Campaign) Leave() {
	if c.claim != nil {
		select {
		case <-c.claim.released:
		case <-time.After(2 * time.Second): // the server does not answer
		}
	}
	_ = c.nc.FlushTimeout(2 * time.Second)
	c.nc.Close()
}
