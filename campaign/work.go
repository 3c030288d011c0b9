package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/worker"
)

// workFlags are the flags of `campaign work`.
type workFlags struct {
	server                           elsewhereFlags
	tokenFile, name, folder, program string
	atOnce                           int
}

func workCommand() *cobra.Command {
	var o workFlags
	cmd := &cobra.Command{
		Use:   "work --join URL --token-file FILE",
		Short: "Run trials of a campaign that was started on another machine",
		Long: `Join a campaign and run its trials until it ends. tun-mcp and the plan's agents
must be installed on this machine. After Ctrl-C no new trial starts, and the
command exits when the running trials have ended. A second Ctrl-C gives them
back at once.

The plan contains the agents' command lines, so the server, and anyone who has
the token, can run commands on this machine. Join only your own campaigns.`,
		Example: "  campaign work --join tls://first.example:4222 --token-file token",
		Args:    none,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runWork(cmd, o) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.server.register(cmd, "join", "URL of the server: nats://HOST:PORT, or tls://HOST:PORT if it has a certificate")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the same token as start --token-file")
	f.StringVar(&o.name, "name", "", "name of the campaign, if the server has several")
	f.StringVar(&o.folder, "folder", "", "make the folder for the files of running trials in this one (default: where temporary files are)")
	f.StringVar(&o.program, "tun-mcp", "", "path of tun-mcp (default: beside this program, built from this checkout, or on PATH)")
	f.IntVar(&o.atOnce, "at-once", atOnceDefault(), "most trials at once on this machine")
	return cmd
}

func runWork(cmd *cobra.Command, o workFlags) error {
	switch {
	case o.server.url == "":
		return usageError{fmt.Errorf("--join is missing; give the server's URL, which start --listen prints")}
	case o.atOnce < 1 || o.atOnce > 10_000:
		return usageError{fmt.Errorf("--at-once %d: accepted are 1 to 10000", o.atOnce)}
	}
	var token string
	if o.tokenFile != "" {
		var err error
		if token, err = queue.ReadToken(o.tokenFile); err != nil {
			return usageError{err}
		}
	}
	program, err := findProgram(cmd.Context(), o.program, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	out := newProgress(cmd.OutOrStdout())
	defer out.end()
	stop, now, done := interrupts(out.log)
	defer done()
	campaign, err := join(stop, o, token)
	if err != nil {
		return err
	}
	defer campaign.Leave()
	scratch, err := newFolderIn(o.folder)
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	w := &worker.Worker{Name: workerName(), Program: program, Folder: scratch, AtOnce: o.atOnce, Log: out.log}
	out.log("%s has joined the campaign %s", w.Name, campaign.Name)
	if err := w.Run(stop, now, campaign); err != nil {
		return err
	}
	out.log("%s has ended", w.Name)
	return nil
}

// newFolderIn makes a new folder for trials in parent, where the user may keep other
// files and other workers their folders. "" means the folder for temporary files.
func newFolderIn(parent string) (path string, err error) {
	if parent != "" {
		err = os.MkdirAll(parent, 0o700)
	}
	if err == nil {
		path, err = os.MkdirTemp(parent, "tun-mcp-worker-")
	}
	if err != nil {
		return "", fmt.Errorf("making a folder for trials: %w; choose another with --folder", err)
	}
	return filepath.Abs(path)
}

// joinPatience is how long a worker waits for the server to come up.
const joinPatience = 2 * time.Minute

// join connects to the campaign. On a cluster, workers may start before the
// server, so join waits up to joinPatience for it.
func join(stop context.Context, o workFlags, token string) (*queue.Campaign, error) {
	ctx, cancel := context.WithTimeout(stop, joinPatience)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		campaign, err := tryJoin(ctx, o, token)
		if err == nil || queue.Refused(err) {
			return campaign, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

func tryJoin(ctx context.Context, o workFlags, token string) (*queue.Campaign, error) {
	nc, err := queue.Dial(queue.Elsewhere{URL: o.server.url, Token: token, Credentials: o.server.credentials, CA: o.server.ca, Name: workerName()})
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	campaign, err := queue.Join(asking, nc, o.name)
	if err != nil {
		nc.Close()
	}
	return campaign, err
}
