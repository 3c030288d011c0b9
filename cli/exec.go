package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tun-mcp/tun-mcp/tun"
)

// execCommand is `tun-mcp exec`.
func execCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:                   "exec [--session NAME] [--] COMMAND [ARGUMENT…]",
		DisableFlagsInUseLine: true, // flags after COMMAND are COMMAND's
		Short:                 "Run a program on the peer of a running session",
		Long: `Run a program on the peer, the far end of a running session's link. The agent is
10.77.0.2 there, unless the server's --addr says otherwise. In a private network
nothing else can be reached; in the host network the peer is this machine. The
exit status is the program's.`,
		Example: "  tun-mcp exec -- ping 10.77.0.2\n  tun-mcp exec -- curl http://10.77.0.2/",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("exec: the command is missing; for instance: tun-mcp exec -- ping 10.77.0.2")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			_, status, err := openLink(cmd, name)
			if err != nil {
				return err
			}
			argv, err := tun.ExecCommand(status.Network, status.Holder, args)
			if err != nil {
				return err
			}
			if status.Readers == 0 && status.LastCall.IsZero() && term.IsTerminal(int(os.Stderr.Fd())) {
				fmt.Fprintf(os.Stderr, "tun-mcp: the agent has not called a tool yet; %s answers nothing before it does\n", status.Agent)
			}
			return run(argv)
		},
	}
	cmd.Flags().StringVar(&name, "session", "", sessionHelp)
	cmd.Flags().SetInterspersed(false) // -s of `exec curl -s URL` is curl's
	return cmd
}

// run replaces this process with a program, which takes over its streams, its
// signals and its exit status. It returns only on failure.
func run(argv []string) error {
	path, err := exec.LookPath(argv[0])
	if err == nil {
		err = syscall.Exec(path, argv, os.Environ())
	}
	return fmt.Errorf("running %s: %w", argv[0], err)
}
