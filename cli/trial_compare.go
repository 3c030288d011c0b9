package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// compareCommand is `tun-mcp trial compare`.
func compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A.json B.json …",
		Short: "Show the reports of two or more trials side by side",
		Args: func(_ *cobra.Command, paths []string) error {
			if len(paths) < 2 {
				return fmt.Errorf("compare takes the JSON files of two or more trials, got %d; for instance: tun-mcp trial compare a.json b.json", len(paths))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			var reports []*score.Report
			for _, path := range paths {
				found, err := score.Load(path)
				if err != nil {
					return err
				}
				reports = append(reports, found)
			}
			return report.WriteComparison(cmd.OutOrStdout(), reports, paths)
		},
	}
}
