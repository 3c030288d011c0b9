// Package agent is the built-in agent: an MCP client whose head is a TCP/IP
// stack in place of a model. It speaks to the server as any agent does, through
// the tools, over MCP on stdio.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

const (
	// batchPackets is the most that the tools take or give in one call.
	batchPackets = 64

	// batchBytes bounds a written batch where packets are long: one that
	// reaches it ends there. The answer to a ping behind it should not wait.
	batchBytes = 256 << 10

	// assistOwn is the level that the agent writes with where the server
	// allows it: every byte of its head's is then verified, and none changed.
	assistOwn = "check"

	farewellPatience = 2 * time.Second // for the last look at the status
)

// Config says what a built-in agent is to be.
type Config struct {
	Server  []string  // the command line of its MCP server
	Stderr  io.Writer // for what goes wrong, and for what the server says
	Packets io.Writer // a line for each packet; nil: none
	Mistake string    // a kind of fault to make on purpose; empty: none
}

// Agent is the built-in agent: an MCP client whose head is a TCP/IP stack
// instead of a model. It thinks for no time and makes no mistakes, so it is
// the floor of every measurement, and every scenario is solvable by it.
type Agent struct {
	Link session.Status // as it was at the start

	config  Config
	server  *Server
	head    *head
	assist  string
	memory  *memory
	printer *printer
	mistake mistake
	own     netip.Addr

	mu     sync.Mutex // guards counts
	counts Counts
}

// Counts sum up an agent's life.
type Counts struct {
	Read, Written int // packets
	Refused       int // packets that write_packet would not send
	Dropped       int // packets that fell out of the server's full queue, unread
	Calls         int // of tools

	// Median is the median response time of the server's last 1,024 answers,
	// in milliseconds; 0: there were none, or the server could not say.
	Median float64
}

// Start starts a server and an agent at its link. Run makes it answer;
// Close must be called in the end.
func Start(ctx context.Context, config Config) (*Agent, error) {
	server, err := StartServer(ctx, config.Server, config.Stderr)
	if err != nil {
		return nil, err
	}
	a := &Agent{config: config, server: server, memory: newMemory(), printer: newPrinter(config.Packets), mistake: mistake(config.Mistake)}
	if a.Link, err = server.Status(ctx); err == nil {
		a.head, err = newHead(a.Link)
	}
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	a.own, _ = netip.ParseAddr(a.Link.Agent) // the zero Addr where the link has no IPv4
	a.assist = assistOwn
	if a.Link.Assist == "none" || config.Mistake != "" { // the server's ceiling; what check would refuse
		a.assist = "none"
	}
	return a, nil
}

// Run answers what the peer sends until ctx or the server ends, which is no
// error, or the link fails. It may be called once.
func (a *Agent) Run(ctx context.Context) error {
	// Reading and writing never wait for each other: while a read waits at
	// the server, what the stack has to say by itself goes out.
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- a.read(both) }()
	go func() { ended <- a.write(both) }()
	err := <-ended
	cancel()
	<-ended
	switch {
	case ctx.Err() != nil:
		return nil
	case gone(err):
		return a.server.Close()
	}
	return err
}

// Close ends the agent and its server, and sums up.
func (a *Agent) Close() (Counts, error) {
	ctx, cancel := context.WithTimeout(context.Background(), farewellPatience)
	defer cancel()
	status, err := a.server.Status(ctx)
	if err == nil {
		// The server knows what became of calls whose results did not come any more.
		now := status.Counters
		a.count(func(c *Counts) {
			c.Read, c.Written, c.Refused, c.Dropped = int(now.Delivered), int(now.Written-now.Failed), int(now.Refused), int(now.Dropped)
			c.Median = status.Responses.Median
		})
	}
	err = a.server.Close()
	a.head.close()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.counts, err
}

func (a *Agent) count(change func(*Counts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.counts)
}

// complain says that something is amiss which does not end the agent.
func (a *Agent) complain(format string, args ...any) {
	fmt.Fprintf(a.config.Stderr, "tun-mcp agent: "+format+"\n", args...)
}
