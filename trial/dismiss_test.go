package trial

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
)

// An agent that the trial has started learns that its link has ended; a session
// that was running before goes on.
func TestDismiss(t *testing.T) {
	f := testField(t, 0, nil)
	end := func() error {
		status, err := f.Session.Status(t.Context())
		if err == nil && status.State != "open" {
			err = errors.New(status.State)
		}
		return err
	}
	p := &player{session: f.Session}
	if p.dismiss(); end() != nil {
		t.Errorf("the session of a user was ended: %v", end())
	}
	p.command = new(exec.Cmd)
	p.dismiss()
	want := (&session.EndedError{Why: "the trial is over"}).Error()
	if err := end(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
