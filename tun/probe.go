package tun

import "errors"

// A Finding is one line of what was found out about this machine.
type Finding struct {
	What   string // what was looked at
	OK     bool
	Detail string // what was found
	Todo   string // what to do about it; empty if OK
}

// Probe looks at what this machine allows, and at what "auto" would take. It
// really tries: it opens a private link and closes it again.
func Probe() []Finding {
	refused := tryPrivate()
	private := Finding{What: "private network", OK: true, Detail: "opened a link and closed it"}
	if refused != nil {
		private = unmet(private.What, refused)
	}
	network, why := choose(refused)

	findings := append([]Finding{private}, probe()...)
	return append(findings,
		Finding{What: "memory network", OK: true, Detail: "needs nothing of this machine"},
		Finding{What: "auto takes " + network, OK: true, Detail: why},
	)
}

// unmet is the Finding of a step that failed with err.
func unmet(what string, err error) Finding {
	if r, ok := errors.AsType[*refusal](err); ok {
		return Finding{What: what, Detail: r.What + ": " + r.Cause, Todo: r.Todo}
	}
	return Finding{What: what, Detail: err.Error(), Todo: "use --network memory"}
}
