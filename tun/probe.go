package tun

import "errors"

// A Finding is the result of one check of this machine.
type Finding struct {
	What   string // what was checked
	OK     bool
	Detail string // what was found
	Todo   string // what to do about it; "" if OK
}

// Probe checks what this machine allows and which network "auto" would use. To find
// out, it really opens a private link and closes it again.
func Probe() []Finding {
	refused := tryPrivate()
	private := Finding{What: "private network", OK: true, Detail: "opened a link and closed it"}
	if refused != nil {
		private = unmet(private.What, refused)
	}
	network, why := choose(refused)

	findings := append([]Finding{private}, probe()...)
	return append(findings,
		Finding{What: "memory network", OK: true, Detail: "works on every machine"},
		Finding{What: "auto takes " + network, OK: true, Detail: why},
	)
}

// unmet returns the Finding for a step that failed with err.
func unmet(what string, err error) Finding {
	if r, ok := errors.AsType[*refusal](err); ok {
		return Finding{What: what, Detail: r.What + ": " + r.Cause, Todo: r.Todo}
	}
	return Finding{What: what, Detail: err.Error(), Todo: lastResort(err)}
}
