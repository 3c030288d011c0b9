package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/fleet"
	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// cancelFlags are the flags of `campaign cancel`.
type cancelFlags struct {
	server serverFlags // only those for an existing server
	lease  time.Duration
}

func cancelCommand() *cobra.Command {
	o := cancelFlags{server: serverFlags{replicas: 1}}
	cmd := &cobra.Command{
		Use:   "cancel PLAN|FOLDER",
		Short: "End a campaign and its running trials; the results so far are kept",
		Long: `End a campaign and its running trials. The results so far are kept. If its start
was killed, cancel first collects the verdicts that the server still has. If
that is a server of your own, give cancel the flags that start had.`,
		Args: one,
		RunE: func(cmd *cobra.Command, args []string) error { return runCancel(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.server.elsewhere.register(cmd, "nats", "--nats of start")
	f.StringVar(&o.server.tokenFile, "token-file", "", "--token-file of start")
	f.DurationVar(&o.lease, "lease", leaseDefault, "with --nats: --lease of start, the longest wait for it to be found dead")
	return cmd
}

func runCancel(cmd *cobra.Command, path string, o cancelFlags) error {
	if err := checkLease(o.lease); err != nil {
		return err
	}
	token, err := o.server.check()
	if err != nil {
		return err
	}
	folder, err := folderAt(path)
	if err != nil {
		return err
	}
	if err := folder.Cancel(); err != nil {
		return err
	}
	release, err := awaitStart(cmd, folder)
	if err != nil {
		return err
	}
	defer release()
	p, err := folder.Plan()
	if err != nil {
		return err
	}
	sum, err := sumOf(folder)
	if err == nil && sum.Ended() < len(p.Cells()) {
		if err = collectAndCancel(cmd, folder, p, token, o); err == nil {
			sum, err = sumOf(folder)
		}
	}
	switch {
	case err != nil:
		return err
	case sum.Cancelled == 0:
		return errors.Join(fmt.Errorf("all %d cells of the campaign have ended, so there is nothing to cancel; see the results with report", sum.Ended()), folder.Uncancel())
	}
	fmt.Fprintf(cmd.OutOrStdout(), "cancelled: %d cells were done, %d could not run, %d never ran\n", sum.Done, sum.Failed, sum.Cancelled)
	return nil
}

// awaitStart waits until no start is running the campaign, and locks the folder.
func awaitStart(cmd *cobra.Command, folder record.Folder) (release func(), err error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		release, err := folder.Lock()
		if !errors.Is(err, record.ErrLocked) {
			return release, err
		}
		if !told {
			fmt.Fprintln(cmd.OutOrStdout(), "waiting for the start to end its trials")
			told = true
		}
		select {
		case <-tick.C:
		case <-cmd.Context().Done():
			return nil, cmd.Context().Err()
		}
	}
}

// sumOf counts the results in the folder.
func sumOf(folder record.Folder) (record.Sum, error) {
	book, err := folder.OpenBook()
	if err != nil {
		return record.Sum{}, err
	}
	return book.Sum(), book.Close()
}

// collectAndCancel does what the start would do if it were still there: it collects
// the verdicts on the server, tells the workers, and records the cells that never
// ran.
func collectAndCancel(cmd *cobra.Command, folder record.Folder, p *plan.Plan, token string, o cancelFlags) error {
	own := o.server.elsewhere.url != ""
	if status, err := folder.Status(); err == nil && status.Elsewhere && !own {
		return errors.Join(errors.New("the campaign's server may still have verdicts; repeat cancel with the --nats of its start, and its --token-file, --creds and --tls-ca if it had them"), folder.Uncancel())
	}
	out := newProgress(cmd.OutOrStdout())
	defer out.end()
	stop, now, done := interrupts(out.log)
	defer done()
	life, end := context.WithCancel(context.WithoutCancel(now))
	defer end()
	campaign, works, closed, err := o.server.open(life, stop, p.Name, folder, token, o.lease, out.log)
	if err != nil {
		return err
	}
	defer closed()
	defer end() // before the server closes, so that the claim is released
	f := &fleet.Fleet{Plan: p, Folder: folder, Campaign: campaign, Lease: o.lease, Works: works, Log: out.log, Joinable: own, Elsewhere: own}
	if err := f.Run(stop, now); !errors.Is(err, fleet.ErrCancelled) {
		return err
	}
	return nil
}
