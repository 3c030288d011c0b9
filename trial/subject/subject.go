// Package subject starts, guards and ends the agent under test and the server of its
// session.
package subject

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// Limits on how long an agent may take.
const (
	// startPatienceMore is added to the deadline for an answer. An agent has that long
	// to start the server, again to read for the first time, and again to resume reading.
	startPatienceMore = 10 * time.Second

	// endPatience is how long an agent that reports its usage may keep running after
	// the end of the link.
	endPatience = 5 * time.Minute

	// closePatience is how long an agent may take to end after an interrupt.
	closePatience = 5 * time.Second
)

// Config configures an agent and its link.
type Config struct {
	Agent    score.Agent
	Session  string        // with Running: the session's name; empty means that control.Find chooses
	Program  string        // path of this program, which starts servers and agents
	Assist   string        // the most help that the agent may ask for
	Link     []string      // more flags of serve
	Handler  string        // with Handler: the file of its program
	Handlers bool          // allow the agent to install packet handlers
	Flags    []string      // more flags of the built-in agent
	Record   string        // pcapng file for the session; empty means none
	Impair   string        // --impair of serve; empty means none
	Deadline time.Duration // how long an answer may take

	// Serve, used with Served, serves MCP with these flags of serve until the client
	// or ctx ends. It calls called after every tool call.
	Serve func(ctx context.Context, flags []string, called func(session.Call)) error

	// What the scenarios need beyond pings over IPv4. The prompt has guides for them.
	Programs, IPv6 bool
}

// A Subject is the agent under test and its session.
type Subject struct {
	Session *control.Client
	Status  session.Status  // at its first read
	Events  *traffic.Events // of the session, since Start found it

	// Patience is how long the agent may take to start the server, to read for the first
	// time, and to read again after it has stopped. A served client has firstReadPatience
	// until it reads for the first time.
	Patience time.Duration

	command *exec.Cmd // nil if the agent was already running or is served
	stdin   io.Closer // stdin of a server without a client, or nil
	serving *serving  // nil if another process serves the agent
	stdout  output
	stderr  output
	folder  string        // holds the agent's MCP configuration
	tells   bool          // it reports its turns and tokens when it ends by itself
	ended   chan struct{} // closed when the command or the serving has ended
	failure error         // its error; read it after ended is closed

	unwatch context.CancelFunc // stops Events
}

// Start starts an agent in a new session and returns when it reads from the link. With
// Running it only finds the session; call Ready to wait for its agent. The caller must
// call End. If Start fails, it has ended the agent.
func Start(ctx context.Context, c Config) (*Subject, error) {
	s := &Subject{ended: make(chan struct{}), Patience: c.patience(), tells: c.Agent.Kind == Claude,
		stdout: output{limit: outputBytes}, stderr: output{limit: tailBytes}}
	err := s.start(ctx, c)
	if err != nil {
		s.fail(ctx)
		return nil, err
	}
	return s, nil
}

func (s *Subject) start(ctx context.Context, c Config) error {
	if c.Agent.Kind == Running {
		var err error
		if s.Session, err = control.Find(c.Session); err != nil {
			return err
		}
		return s.watch(ctx)
	}
	name := fmt.Sprintf("trial-%d-%x", os.Getpid(), time.Now().UnixNano()&0xffffff)
	server := append([]string{c.Program, "serve", "--session", name, "--assist", c.Assist}, c.Link...)
	if c.Agent.Kind == Handler {
		server = append(server, "--handler", c.Handler)
	}
	if !c.Handlers {
		server = append(server, "--handlers", "off")
	}
	if c.Impair != "" {
		server = append(server, "--impair", c.Impair)
	}
	if c.Record != "" {
		server = append(server, "--record", c.Record)
	}
	if c.Agent.Kind == Served {
		s.serve(ctx, &c, server[2:])
	} else if err := s.launch(&c, name, server); err != nil {
		return err
	}
	if err := s.find(ctx, name); err != nil {
		return err
	}
	if err := s.watch(ctx); err != nil {
		return fmt.Errorf("the session ended before the agent read anything: %s", s.Why())
	}
	if c.Agent.Kind == Handler {
		return nil // the server installs it before the session can be found
	}
	err := s.Ready(ctx)
	s.Patience = c.patience() // from now on also that of a served client
	return err
}

// patience returns how long an agent may take to start the server, and again to read.
func (c *Config) patience() time.Duration { return c.Deadline + startPatienceMore }

// ErrInterrupted means that the user has interrupted the trial.
var ErrInterrupted = errors.New("interrupted")
