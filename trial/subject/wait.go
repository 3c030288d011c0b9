package subject

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// find waits up to Patience until a session with that name exists.
func (s *Subject) find(outer context.Context, name string) error {
	ctx, cancel := context.WithTimeout(outer, s.Patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if client, err := control.Find(name); err == nil {
			s.Session = client
			return nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			if s.serving != nil { // this process is the server
				return fmt.Errorf("the server did not start: %s", s.Why())
			}
			return fmt.Errorf("the agent ended before it started the server: %s", s.Why())
		case <-outer.Done():
			return ErrInterrupted
		case <-ctx.Done():
			return fmt.Errorf("the agent did not start the server in %v: %s", s.Patience, s.Why())
		}
	}
}

// watch starts Events and sets Status. The end of ctx does not stop Events, so an
// interrupted trial still sees the last ones.
func (s *Subject) watch(ctx context.Context) error {
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.unwatch = cancel
	var err error
	if s.Events, err = traffic.Watch(watching, s.Session); err == nil {
		s.Status, err = s.Session.Status(ctx)
	}
	return err
}

// Ready waits up to Patience until the agent reads, so that its start is not measured.
// An error says why it does not.
func (s *Subject) Ready(outer context.Context) error {
	ctx, cancel := context.WithTimeout(outer, s.Patience)
	defer cancel()
	go func() {
		select {
		case <-s.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	reading := s.Events.Reading(ctx, s.Status)
	if reading {
		if status, err := s.Session.Status(outer); err == nil {
			s.Status = status
			return nil
		}
	}
	select {
	case <-s.ended:
		return fmt.Errorf("the agent ended before it read anything: %s", s.Why())
	default:
	}
	switch {
	case outer.Err() != nil:
		return ErrInterrupted
	case ctx.Err() == nil:
		return fmt.Errorf("the session ended before the agent read anything: %s", s.Why())
	case s.command == nil && s.serving == nil:
		return fmt.Errorf("the agent did not read from the link in %v: make it call read_packet, then start the trial again", s.Patience)
	}
	return fmt.Errorf("the agent did not read from the link in %v: %s", s.Patience, s.Why())
}

// Why returns how the agent ended, with the end of its output. It waits up to 1 s for
// the end.
func (s *Subject) Why() string {
	if s.serving != nil {
		select {
		case <-s.ended:
			if s.failure != nil {
				return s.failure.Error()
			}
			return "its client has disconnected"
		case <-time.After(time.Second):
			return "its client is still connected"
		}
	}
	if s.command == nil {
		return "the trial did not start its agent, so it cannot tell why"
	}
	how := "it is still running"
	select {
	case <-s.ended:
		how = "it ended by itself"
		if s.failure != nil {
			how = s.failure.Error()
		}
	case <-time.After(time.Second): // the server may end a moment before the agent
	}
	said := cmp.Or(lastLines(s.stderr.String()), lastLines(s.stdout.String()))
	if said == "" {
		return how + ", without any output"
	}
	return how + "; last output: " + said
}
