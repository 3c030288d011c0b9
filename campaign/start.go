package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/fleet"
	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/campaign/worker"
)

// startFlags are the flags of `campaign start`.
type startFlags struct {
	folder, program string
	atOnce          int
	lease           time.Duration
	again           bool
	server          serverFlags
}

// Bounds and default of --lease.
const (
	minLease     = time.Second
	leaseDefault = 45 * time.Second
	maxLease     = 10 * time.Minute
)

// checkLease returns an error if --lease is out of bounds.
func checkLease(lease time.Duration) error {
	if lease < minLease || lease > maxLease {
		return usageError{fmt.Errorf("--lease %v: accepted are %v to %v", lease, minLease, maxLease)}
	}
	return nil
}

func startCommand() *cobra.Command {
	var o startFlags
	cmd := &cobra.Command{
		Use:   "start PLAN",
		Short: "Run a campaign until it is done, or continue one that was stopped",
		Long: `Run all trials of a plan. After Ctrl-C no new trial starts, and the command
exits when the running trials have ended. A second Ctrl-C stops those too; they
run again at the next start. Start again to continue, after Ctrl-C or after a
crash.

The results are in one folder beside the plan: results.jsonl has one line per
cell, and trials/ has the JSON of each trial. With --listen, workers on other
machines can join.`,
		Example: `  campaign start plan.yaml
  campaign start plan.yaml --listen 0.0.0.0:4222 --token-file token --tls-cert cert.pem --tls-key key.pem`,
		Args: one,
		RunE: func(cmd *cobra.Command, args []string) error { return runStart(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.folder, "folder", "", "folder of the results (default: PLAN with the extension .campaign)")
	f.StringVar(&o.program, "tun-mcp", "", "path of tun-mcp (default: beside this program, built from this checkout, or on PATH)")
	f.IntVar(&o.atOnce, "at-once", atOnceDefault(), "most trials at once on this machine; 0 runs none here")
	f.DurationVar(&o.lease, "lease", leaseDefault, "give a trial to another worker if its own is silent for this long")
	f.BoolVar(&o.again, "retry-failed", false, "run again the cells that could not run, for instance because a client was not installed")
	o.server.register(cmd)
	return cmd
}

// atOnceDefault is more than the number of processors, because a trial with a
// model mostly waits for it.
func atOnceDefault() int { return 4 * runtime.NumCPU() }

func runStart(cmd *cobra.Command, planFile string, o startFlags) error {
	if err := checkLease(o.lease); err != nil {
		return err
	}
	if o.atOnce < 0 || o.atOnce > 10_000 {
		return usageError{fmt.Errorf("--at-once %d: accepted are 0 to 10000", o.atOnce)}
	}
	token, err := o.server.check()
	if err != nil {
		return err
	}
	p, program, err := loadPlan(cmd, planFile, o.program)
	if err != nil {
		return err
	}
	folder := record.FolderOf(planFile)
	if o.folder != "" {
		folder = record.Folder(o.folder)
	}
	if err := folder.Make(); err != nil {
		return err
	}
	release, err := folder.Lock()
	if err != nil {
		return err
	}
	defer release()
	if err := folder.Keep(p); err != nil {
		return err
	}
	if folder.Cancelled() {
		return fmt.Errorf("the campaign in %s was cancelled; to run its plan again, choose another --folder", folder)
	}
	out := newProgress(cmd.OutOrStdout())
	defer out.end()
	stop, now, done := interrupts(out.log)
	defer done()
	return serve(stop, now, p, folder, program, token, o, out)
}

// serve opens the campaign's server, and runs the campaign and, unless o.atOnce is
// 0, a worker.
func serve(stop, now context.Context, p *plan.Plan, folder record.Folder, program, token string, o startFlags, out *progress) error {
	life, end := context.WithCancel(context.WithoutCancel(now))
	defer end()
	campaign, works, closed, err := o.server.open(life, stop, p.Name, folder, token, o.lease, out.log)
	if err != nil {
		return err
	}
	defer closed()
	defer end() // before the server closes, so that the claim is released
	f := &fleet.Fleet{Plan: p, Folder: folder, Campaign: campaign, Lease: o.lease, Again: o.again, Works: works, Log: out.log, Shown: out.show,
		Joinable: o.server.listen != "" || o.server.elsewhere.url != "", Elsewhere: o.server.elsewhere.url != ""}
	if o.atOnce > 0 {
		scratch := filepath.Join(string(folder), "work")
		if err := emptied(scratch); err != nil {
			return err
		}
		defer os.RemoveAll(scratch)
		f.Worker = &worker.Worker{Name: workerName(), Program: program, Folder: scratch, AtOnce: o.atOnce, Log: out.log}
	}
	err = f.Run(stop, now)
	status, unread := folder.Status()
	switch {
	case err != nil:
		return err
	case unread != nil:
		return unread
	case status.Ended() < status.Cells:
		return fmt.Errorf("stopped after %d of %d cells; start again to continue", status.Ended(), status.Cells)
	case status.Failed > 0:
		return fmt.Errorf("%d of %d cells could not run; `campaign report` says why", status.Failed, status.Cells)
	}
	return nil
}

// emptied makes an empty folder. It removes what a killed worker may have left
// there.
func emptied(path string) error {
	if err := errors.Join(os.RemoveAll(path), os.MkdirAll(path, 0o755)); err != nil {
		return fmt.Errorf("making a folder for trials: %w", err)
	}
	return nil
}

// workerName returns a name for this process that is unique in the fleet.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	host, _, _ = strings.Cut(host, ".")
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
