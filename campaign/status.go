package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

func statusCommand() *cobra.Command {
	var once, asJSON bool
	cmd := &cobra.Command{
		Use:   "status PLAN|FOLDER",
		Short: "Show a campaign's progress until it ends",
		Long: `Show a campaign's progress until no start is running it: on a terminal updated
every second, otherwise one line a minute.`,
		Args: one,
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := folderAt(args[0])
			if err != nil {
				return err
			}
			ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer cancel()
			return followStatus(ctx, cmd.OutOrStdout(), folder, once, asJSON)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "show it once and exit")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print status.json once and exit")
	return cmd
}

func followStatus(ctx context.Context, out io.Writer, folder record.Folder, once, asJSON bool) error {
	terminal := isTerminal(out)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last time.Time
	lines := 0
	for {
		locked := folder.Locked()
		s, err := folder.Status()
		if err != nil {
			return err
		}
		if !locked && s.Phase == "running" {
			s.Phase, s.Why, s.Running, s.Rate, s.Left = "interrupted", "no start is running it; start again to continue", 0, 0, 0
			s.Workers = nil
			for i := range s.Agents {
				s.Agents[i].Running = 0
			}
		}
		over := once || asJSON || !locked
		switch {
		case asJSON:
			encoder := json.NewEncoder(out)
			encoder.SetIndent("", "  ")
			return encoder.Encode(s)
		case terminal || over:
			if lines > 0 {
				fmt.Fprintf(out, "\x1b[%dA\x1b[J", lines)
			}
			text := statusBlock(s)
			if !over {
				text = fitLines(text, widthOf(out))
			}
			lines = strings.Count(text, "\n")
			io.WriteString(out, text)
		case time.Since(last) >= quietFor:
			last = time.Now()
			fmt.Fprintf(out, "%s  %s\n", last.Format(time.TimeOnly), statusLine(s))
		}
		if over {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// fitLines cuts each line to a terminal's width.
func fitLines(text string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(fit(strings.TrimSuffix(line, "\n"), width) + "\n")
	}
	return b.String()
}

// statusBlock returns a campaign's state, with a line for each agent and worker.
func statusBlock(s record.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "campaign %s: %s\n", s.Name, statusLine(s))
	for _, a := range s.Agents {
		fmt.Fprintf(&b, "  %-24s %6d of %d ended, %d of at most %d running", a.Name, a.Ended, a.Cells, a.Running, a.Limit)
		if a.Failed > 0 {
			fmt.Fprintf(&b, ", %d could not run", a.Failed)
		}
		b.WriteString("\n")
	}
	for _, w := range s.Workers {
		fmt.Fprintf(&b, "  on %-21s %d running", w.Name, len(w.Running))
		if len(w.Running) > 0 {
			fmt.Fprintf(&b, ": %s", strings.Join(w.Running[:min(len(w.Running), 3)], ", "))
			if len(w.Running) > 3 {
				b.WriteString(", …")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
