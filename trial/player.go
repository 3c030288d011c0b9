package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
)

// Bounds of an agent's life in a trial.
const (
	// startPatienceMore is how much longer than one answer an agent may take to
	// start the server, and then to read for the first time.
	startPatienceMore = 10 * time.Second

	// endPatience is how long an agent that has something to tell may take from
	// the end of the link to its own.
	endPatience = 5 * time.Minute

	// closePatience is how long one may take that was told to end.
	closePatience = 5 * time.Second
)

// player is whoever plays the stack, and the session it plays in.
type player struct {
	session *control.Client
	status  session.Status

	command *exec.Cmd // nil: it was running before
	stdout  tail
	stderr  tail
	folder  string        // of its MCP configuration
	ended   chan struct{} // closed when the command has ended
	failure error         // how; read after ended

	patience time.Duration // for its start, and then for its first read
}

// start starts the agent of a trial in a session of its own and returns when
// it reads from the link. One that was running before is found: ready waits for
// it.
func (o *Options) start(ctx context.Context, impair string, group int) (*player, error) {
	p := &player{ended: make(chan struct{}), patience: fromMilliseconds(o.Settings.Deadline) + startPatienceMore,
		stdout: tail{limit: outputBytes}, stderr: tail{limit: tailBytes}}
	if o.Agent.Kind == AgentRunning {
		var err error
		if p.session, err = control.Find(o.Session); err != nil {
			return nil, err
		}
		p.status, err = p.session.Status(ctx)
		return p, err
	}
	name := fmt.Sprintf("trial-%d-%x", os.Getpid(), time.Now().UnixNano()&0xffffff)
	server := append([]string{o.Program, "serve", "--session", name, "--assist", o.Assist}, o.Link...)
	if impair != "" {
		server = append(server, "--impair", fmt.Sprintf("%s,seed=%d", impair, o.Settings.Seed))
	}
	if o.Record != "" {
		server = append(server, "--record", o.recording(group))
	}
	if err := p.launch(o, name, server); err != nil {
		p.stop(ctx, 0)
		return nil, err
	}
	if err := p.find(ctx, name); err != nil {
		p.stop(ctx, 0)
		return nil, err
	}
	if err := p.ready(ctx); err != nil {
		p.stop(ctx, 0)
		return nil, err
	}
	return p, nil
}

// find waits until the session of that name is up.
func (p *player) find(outer context.Context, name string) error {
	ctx, cancel := context.WithTimeout(outer, p.patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if client, err := control.Find(name); err == nil {
			p.session = client
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("the agent ended before it had started the server: %s", p.why())
		case <-outer.Done():
			return errInterrupted
		case <-ctx.Done():
			return fmt.Errorf("the agent has not started the server in %v: %s", p.patience, p.why())
		}
	}
}

// ready waits until the agent reads, so that its start is not measured.
func (p *player) ready(outer context.Context) error {
	ctx, cancel := context.WithTimeout(outer, p.patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := p.session.Status(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("the session ended before the agent had read anything: %s", p.why())
		}
		if err == nil && status.Readers > 0 {
			p.status = status
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("the agent ended before it had read anything: %s", p.why())
		case <-outer.Done():
			return errInterrupted
		case <-ctx.Done():
			if p.command == nil {
				return fmt.Errorf("the agent has not read from the link in %v: call read_packet there, then start the trial again", p.patience)
			}
			return fmt.Errorf("the agent has not read from the link in %v: %s", p.patience, p.why())
		}
	}
}

// why says how the agent ended and what it said last.
func (p *player) why() string {
	if p.command == nil {
		return "what became of its agent is not known here"
	}
	how := "it is still running"
	select {
	case <-p.ended:
		how = "it ended by itself"
		if p.failure != nil {
			how = p.failure.Error()
		}
	case <-time.After(time.Second): // its server may end a moment before it
	}
	said := cmp.Or(lastWords(p.stderr.String()), lastWords(p.stdout.String()))
	if said == "" {
		return how + ", and said nothing"
	}
	return how + "; its last words: " + said
}

var errInterrupted = errors.New("interrupted")

var errNoCommand = errors.New("the agent's command is empty: give one that starts an MCP client, with {config} and {prompt} in it")
