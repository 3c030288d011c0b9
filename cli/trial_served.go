package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/subject"
)

// checkServed checks the flags that need --agent served or exclude it.
func (o trialFlags) checkServed(t *trial.Options, named bool) error {
	if t.Agent.Kind != subject.Served {
		if o.http.address != "" || o.http.tokenFile != "" {
			return errors.New("--http needs --agent served: other agents get their own server")
		}
		return nil
	}
	for _, s := range t.Scenarios {
		if named && s.Impair != t.Scenarios[0].Impair {
			return errors.New("--agent served has one link, and the scenario loss needs an impaired one: run loss in a trial of its own")
		}
	}
	return nil
}

// served returns the function that serves a trial's agent in this process.
func (o trialFlags) served(in, out *os.File) func(context.Context, []string, func(session.Call)) error {
	return func(ctx context.Context, flags []string, called func(session.Call)) error {
		s := serveOptions{http: o.http, called: called}
		cmd := new(cobra.Command)
		s.flags(cmd)
		if err := cmd.ParseFlags(flags); err != nil { // the trial itself made them
			return err
		}
		return serve(ctx, s, in, out)
	}
}
