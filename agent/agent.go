// Package agent is the built-in agent: an MCP client that uses a TCP/IP stack
// instead of a model. Like any agent it calls the server's tools, over MCP on
// stdio.
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
	// batchPackets is the most packets that a tool takes or returns in one call.
	batchPackets = 64

	// batchBytes ends a batch of long packets early, so that the answer to a
	// ping does not wait behind it.
	batchBytes = 256 << 10

	// assistOwn is the assist level of the agent's writes if the server allows
	// it: the server verifies every byte from the stack and changes none.
	assistOwn = "check"

	farewellPatience = 2 * time.Second // for the last read of the status
)

// Config describes a built-in agent.
type Config struct {
	Server  []string  // the command line of its MCP server
	Stderr  io.Writer // gets the agent's complaints and the server's stderr
	Packets io.Writer // gets a line for each packet, if not nil
	Mistake string    // a mistake to make on purpose, see Mistakes; empty means none
}

// Agent is the built-in agent: an MCP client with a TCP/IP stack instead of a
// model. It needs no time to think and makes no mistakes, so no model can be
// faster, and it solves every scenario.
type Agent struct {
	Link session.Status // the status at the start

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

// Counts are an agent's totals.
type Counts struct {
	Read, Written int // packets
	Refused       int // packets that write_packet refused
	Dropped       int // packets that the server dropped because its queue was full
	Calls         int // tool calls

	// Median is the median response time of the server's last 1,024 answers in
	// milliseconds. 0 means that there were none or that it is unknown.
	Median float64
}

// Start starts a server and an agent on its link. Call Run to answer packets, and
// Close at the end.
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
	a.own, _ = netip.ParseAddr(a.Link.Agent) // the zero Addr if the link has no IPv4
	a.assist = assistOwn
	if a.Link.Assist == "none" || config.Mistake != "" { // the server allows no more; check would refuse the mistakes
		a.assist = "none"
	}
	return a, nil
}

// Run answers the peer's packets. It returns nil when ctx or the server ends, and
// an error if the link fails. Call it once.
func (a *Agent) Run(ctx context.Context) error {
	// Reading and writing never wait for each other: the stack can send on its
	// own while a read waits at the server.
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

// Close ends the agent and its server, and returns the totals.
func (a *Agent) Close() (Counts, error) {
	ctx, cancel := context.WithTimeout(context.Background(), farewellPatience)
	defer cancel()
	status, err := a.server.Status(ctx)
	if err == nil {
		// The server also knows about calls whose results never arrived.
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

// complain reports a problem that does not end the agent.
func (a *Agent) complain(format string, args ...any) {
	fmt.Fprintf(a.config.Stderr, "tun-mcp agent: "+format+"\n", args...)
}
