package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/tun"
)

// execCommand is `tun-mcp exec`.
func execCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:                   "exec [--session NAME] [--] COMMAND [ARGUMENT…]",
		DisableFlagsInUseLine: true, // behind COMMAND they are its own
		Short:                 "Run a program on the peer of a running session",
		Long: `Run a program on the peer, the far end of a running session's link. The agent is
10.77.0.2 there, unless the server's --addr says otherwise. In a private network
nothing else can be reached; in the host network the peer is this machine. The
exit status is the program's.`,
		Example: "  tun-mcp exec -- ping 10.77.0.2\n  tun-mcp exec -- curl http://10.77.0.2/",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("exec: no command came; for instance: tun-mcp exec -- ping 10.77.0.2")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := findSession(cmd, name)
			if err != nil {
				return err
			}
			status, err := openLink(cmd, client)
			if err != nil {
				return err
			}
			argv, err := tun.ExecCommand(status.Network, status.Holder, args)
			if err != nil {
				return err
			}
			return run(argv)
		},
	}
	cmd.Flags().StringVar(&name, "session", "", "name of the session (default: the newest)")
	cmd.Flags().SetInterspersed(false) // -s of `exec curl -s URL` is curl's
	return cmd
}

// run replaces this process by a program: its streams, its signals and its exit
// status are then the program's own.
func run(argv []string) error {
	path, err := exec.LookPath(argv[0])
	if err == nil {
		err = syscall.Exec(path, argv, os.Environ())
	}
	return fmt.Errorf("running %s: %w", argv[0], err)
}

// doctorCommand is `tun-mcp doctor`.
func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine allows, which network auto would take, and what to do about the rest",
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
				return fmt.Errorf("printing what was found: %w", err)
			}
			return nil
		},
	}
}
