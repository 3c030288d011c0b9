package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
)

// findSession returns the running session of that name, or with an empty name
// the newest; where there are several it says which that is.
func findSession(cmd *cobra.Command, name string) (*control.Client, error) {
	client, err := control.Find(name)
	if err != nil || name != "" {
		return client, err
	}
	if running := control.Running(); len(running) > 1 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: sessions are running: %s; this is %s, the newest; --session NAME takes another\n",
			cmd.Name(), strings.Join(running, ", "), client.Name)
	}
	return client, nil
}

// openLink returns the status of a session whose link is open, or says how that
// has ended.
func openLink(cmd *cobra.Command, client *control.Client) (session.Status, error) {
	status, err := client.Status(cmd.Context())
	if err == nil && status.State != "open" {
		const head, next = "the link has ended: ", "; start the server again" // which causes may say themselves
		why := strings.TrimSuffix(strings.TrimPrefix(status.State, head), next)
		err = fmt.Errorf("%s: the link of session %s has ended: %s%s", cmd.Name(), client.Name, why, next)
	}
	return status, err
}
