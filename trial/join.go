package trial

import (
	"context"
	"errors"
	"slices"
)

// join waits until the agent of a session that was running before reads, unless
// none of some scenarios can run there.
func (o *Options) join(ctx context.Context, p *player, group []Scenario) error {
	if p.status.Network == "host" {
		return errors.New("the session is on this machine's own network: a trial floods its link, so it takes private or memory only")
	}
	if !slices.ContainsFunc(group, func(s Scenario) bool { return s.unfit(p.status) == "" }) {
		return nil
	}
	if p.status.Readers == 0 {
		o.Progress.Say("waiting for the agent of session %s to call read_packet (up to %v); Ctrl-C ends this", p.session.Name, p.patience)
	}
	return p.ready(ctx)
}
