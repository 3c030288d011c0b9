package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/tun"
)

// doctorCommand is `tun-mcp doctor`.
func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Show which networks this machine allows, and what the others need",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out strings.Builder
			for _, f := range tun.Probe() {
				mark := "ok  "
				if !f.OK {
					mark = "no  "
				}
				fmt.Fprintf(&out, "%s%s: %s\n", mark, f.What, f.Detail)
				if f.Todo != "" {
					fmt.Fprintf(&out, "    to do: %s\n", f.Todo)
				}
			}
			if _, err := io.WriteString(cmd.OutOrStdout(), out.String()); err != nil {
				return fmt.Errorf("doctor: printing the result: %w", err)
			}
			return nil
		},
	}
}
