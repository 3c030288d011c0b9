package agent

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/child"
)

// Ping pings the agent count times from the peer, with the ping command of
// program, this one's executable. A ping that fails gives an *exec.ExitError
// and has said why. When ctx ends, ping is interrupted and sums up.
func (a *Agent) Ping(ctx context.Context, program string, count int, stdout, stderr io.Writer) error {
	ping := exec.CommandContext(ctx, program, "ping", "-c", strconv.Itoa(count), "--session", a.Link.Session)
	ping.Stdout, ping.Stderr = stdout, stderr
	// Ctrl-C would reach it a second time, and a second signal ends it at once.
	child.Apart(ping)
	ping.Cancel = func() error { return ping.Process.Signal(os.Interrupt) }
	ping.WaitDelay = 2 * time.Second
	err := ping.Run()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if ctx.Err() != nil && (!ok || !failed.Exited()) {
		return nil // interrupted, perhaps before it knew what to do then
	}
	return err
}
