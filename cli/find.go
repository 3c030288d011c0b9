package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
)

// sessionHelp is the help of --session.
const sessionHelp = "name of the session; needed if several run, unless this terminal's XDG_RUNTIME_DIR has just one"

// findSession returns the running session of that name, or with an empty name
// the one that control.Find chooses. If others run elsewhere it says which that is.
func findSession(cmd *cobra.Command, name string) (*control.Client, error) {
	client, err := control.Find(name)
	if err != nil || name != "" {
		return client, err
	}
	if running := control.Running(); len(running) > 1 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: sessions are running: %s; this is %s, the one in this process's own runtime folder; --session NAME takes another\n",
			cmd.Name(), strings.Join(running, ", "), client.Name)
	}
	return client, nil
}

// openLink returns the running session of that name, as findSession does, and its
// status. It is an error if the link has ended.
func openLink(cmd *cobra.Command, name string) (*control.Client, session.Status, error) {
	client, err := findSession(cmd, name)
	if err != nil {
		return nil, session.Status{}, err
	}
	status, err := client.Status(cmd.Context())
	if err == nil && status.State != "open" {
		const head, next = "the link has ended: ", "; start the server again" // which causes may say themselves
		why := strings.TrimSuffix(strings.TrimPrefix(status.State, head), next)
		err = fmt.Errorf("%s: the link of session %s has ended: %s%s", cmd.Name(), client.Name, why, next)
	}
	return client, status, err
}
