package agent

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/tun-mcp/tun-mcp/child"
)

// Ping pings the agent count times from the peer with the ping command of program,
// the path of this executable. If pings fail, ping prints why and the error is an
// *exec.ExitError. When ctx ends, ping is interrupted and prints its statistics.
func (a *Agent) Ping(ctx context.Context, program string, count int, stdout, stderr io.Writer) error {
	ping := exec.CommandContext(ctx, program, "ping", "-c", strconv.Itoa(count), "--session", a.Link.Session)
	ping.Stdout, ping.Stderr = stdout, stderr
	// Otherwise Ctrl-C would reach ping twice, and the second signal kills it.
	child.Apart(ping)
	ping.Cancel = func() error { return ping.Process.Signal(os.Interrupt) }
	ping.WaitDelay = 2 * time.Second
	err := ping.Run()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if ctx.Err() != nil && (!ok || !failed.Exited()) {
		return nil // interrupted, perhaps before it caught signals
	}
	return err
}
