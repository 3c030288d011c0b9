package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/campaign/report"
)

func reportCommand() *cobra.Command {
	var html, asJSON bool
	var pages string
	cmd := &cobra.Command{
		Use:   "report PLAN|FOLDER",
		Short: "Show leaderboard, agent × scenario, times, cost, failures",
		Args:  one,
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := folderAt(args[0])
			if err != nil {
				return err
			}
			choose, ok := map[string]func(record.Record) bool{
				"all":    func(record.Record) bool { return true },
				"failed": func(r record.Record) bool { return !r.Passed },
				"none":   func(record.Record) bool { return false },
			}[pages]
			if !ok {
				return usageError{fmt.Errorf("--pages %q: accepted are all, failed, none", pages)}
			}
			s, records, err := summary(folder)
			if err != nil {
				return err
			}
			if html {
				if err := writePages(cmd, folder, s, records, choose); err != nil {
					return err
				}
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(s)
			}
			return report.WriteTable(cmd.OutOrStdout(), s)
		},
	}
	cmd.Flags().BoolVar(&html, "html", false, "also write report.html into the folder, and a page for each trial")
	cmd.Flags().StringVar(&pages, "pages", "all", "with --html: trials that get a page: all, failed (those not passed) or none; a page is about 30 kB")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the figures as JSON, not as a table")
	return cmd
}

// summary returns the summary of the folder's results, and the results themselves.
// A start may be running meanwhile.
func summary(folder record.Folder) (*report.Summary, []record.Record, error) {
	p, err := folder.Plan()
	if err != nil {
		return nil, nil, err
	}
	records, err := folder.Records()
	if err != nil {
		return nil, nil, err
	}
	s := report.Sum(p, records)
	s.Why = "the campaign is still running"
	if !folder.Locked() {
		s.Why = "no start is running; start again to continue"
		if status, err := folder.Status(); err == nil && status.Why != "" {
			s.Why = status.Why
		}
	}
	return s, records, nil
}

// writePages writes report.html and the missing pages of those trials for which
// choose returns true.
func writePages(cmd *cobra.Command, folder record.Folder, s *report.Summary, records []record.Record, choose func(record.Record) bool) error {
	has := make(map[string]bool)
	for _, r := range records {
		if r.State != record.Done {
			continue
		}
		_, err := os.Stat(folder.Page(r.Cell))
		if errors.Is(err, fs.ErrNotExist) && choose(r) {
			err = report.WriteTrialPage(folder.Trial(r.Cell), folder.Page(r.Cell))
		}
		switch {
		case err == nil:
			has[r.Cell] = true
		case !errors.Is(err, fs.ErrNotExist) || choose(r):
			return err
		}
	}
	if err := report.WritePage(folder.Report(), s, has); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s; %d trials have a page\n", folder.Report(), len(has))
	return nil
}
