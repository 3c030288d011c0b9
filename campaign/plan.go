package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

func planCommand() *cobra.Command {
	var program, folder string
	var list bool
	cmd := &cobra.Command{
		Use:   "plan FILE",
		Short: "Check a plan and estimate its time and cost",
		Args:  one,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := loadPlan(cmd, args[0], program)
			if err != nil {
				return err
			}
			if folder == "" {
				folder = string(record.FolderOf(args[0]))
			}
			records, err := record.Folder(folder).Records()
			if err != nil {
				return err
			}
			return showPlan(cmd.OutOrStdout(), p, records, list)
		},
	}
	cmd.Flags().StringVar(&program, "tun-mcp", "", "path of tun-mcp (default: beside this program, built from this checkout, or on PATH)")
	cmd.Flags().StringVar(&folder, "folder", "", "estimate from the results in this campaign's folder (default: the plan's own)")
	cmd.Flags().BoolVar(&list, "cells", false, "list every cell with its command line")
	return cmd
}

// loadPlan reads a plan, finds tun-mcp, asks it for its scenarios and mistakes and
// checks those of the plan against them. It returns the path of tun-mcp as well.
func loadPlan(cmd *cobra.Command, path, program string) (*plan.Plan, string, error) {
	p, err := plan.Load(path)
	if err != nil {
		return nil, "", usageError{err}
	}
	program, err = findProgram(cmd.Context(), program, cmd.ErrOrStderr())
	if err != nil {
		return nil, "", err
	}
	known, err := listed(cmd.Context(), program, "scenarios", "")
	if err != nil {
		return nil, "", err
	}
	if err := p.Choose(known); err != nil {
		return nil, "", usageError{fmt.Errorf("plan %s: %w", path, err)}
	}
	if slices.ContainsFunc(p.Agents, func(a plan.Agent) bool { return a.Mistake != "" }) {
		if known, err = listed(cmd.Context(), program, "mistakes", "--mistake", ""); err != nil {
			return nil, "", err
		}
		if err := p.CheckMistakes(known); err != nil {
			return nil, "", usageError{fmt.Errorf("plan %s: %w", path, err)}
		}
	}
	return p, program, nil
}

func showPlan(out io.Writer, p *plan.Plan, records []record.Record, list bool) error {
	cells := p.Cells()
	fmt.Fprintf(out, "campaign %s: %d agents × %d scenarios × %d assist levels × %d repetitions = %d cells\n",
		p.Name, len(p.Agents), len(p.Scenarios), len(p.Assist), p.Repetitions, len(cells))
	estimate := plan.Guess(p, measured(records))
	for _, a := range estimate.Agents {
		fmt.Fprintf(out, "  %-20s %6d cells, %d at once, %s a trial (%s): %s", a.Name, a.Cells, a.Parallel, rounded(a.Trial), a.From, rounded(a.Total))
		if a.Cost > 0 {
			fmt.Fprintf(out, ", $%.2f", a.Cost)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "about %s with every agent at its limit, if there are enough machines; %s one trial at a time", rounded(estimate.Together), rounded(estimate.Alone))
	if estimate.Cost > 0 {
		fmt.Fprintf(out, "; about $%.2f", estimate.Cost)
	}
	fmt.Fprintln(out)
	if estimate.NoCost {
		fmt.Fprintln(out, "the cost is unknown until a client has reported the cost of a trial; run a few repetitions first")
	}
	if minutes := p.Limits.Minutes; minutes > 0 && estimate.Together.Minutes() > minutes {
		fmt.Fprintf(out, "limits.minutes is %v, which is less: the campaign will stop there\n", minutes)
	}
	if cost := p.Limits.Cost; cost > 0 && estimate.Cost > cost {
		fmt.Fprintf(out, "limits.cost is $%v, which is less: the campaign will stop there\n", cost)
	}
	if list {
		for _, c := range cells {
			fmt.Fprintf(out, "%s: tun-mcp", c.ID)
			for _, word := range c.Args {
				fmt.Fprintf(out, " %q", word)
			}
			fmt.Fprintln(out)
		}
	}
	return nil
}

// measured returns the time and cost of every trial that is done, for the estimate.
func measured(records []record.Record) []plan.Measured {
	var all []plan.Measured
	for _, r := range records {
		if r.State != record.Done {
			continue
		}
		m := plan.Measured{Agent: r.Agent, Scenario: r.Scenario, Took: time.Duration(r.Seconds * float64(time.Second))}
		if r.Usage != nil {
			m.HasCost, m.Cost = true, r.Usage.CostUSD
		}
		all = append(all, m)
	}
	return all
}

// rounded formats a duration with at most two units.
func rounded(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
