package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// findings lists everything that the judge found wrong.
type findings []finding

type finding struct {
	kind   string // one of the score.Fault constants
	detail string // for the report
}

// An agent that floods makes many mistakes. Of each kind at least the first one is kept.
const (
	mostFindings = 40 // that are kept, and then one of each further kind
	mostDetails  = 20 // that a report shows
)

func (f *findings) add(kind, format string, values ...any) {
	if !f.full(kind) {
		*f = append(*f, finding{kind, fmt.Sprintf(format, values...)})
	}
}

// join adds other findings.
func (f *findings) join(others findings) {
	for _, one := range others {
		if !f.full(one.kind) {
			*f = append(*f, one)
		}
	}
}

// full reports whether further findings of a kind are left out.
func (f *findings) full(kind string) bool {
	return len(*f) >= mostFindings && slices.ContainsFunc(*f, func(one finding) bool { return one.kind == kind })
}

// blame adds a consequence of the findings so far. It has the kind of the first one,
// which is the cause, or kind if there are none.
func (f *findings) blame(kind, detail string) {
	if len(*f) > 0 {
		kind = (*f)[0].kind
	}
	f.add(kind, "%s", detail)
}

// kinds returns every kind once, in order, because an exchange counts once under each of
// its kinds.
func (f findings) kinds() (kinds []string) {
	for _, one := range f {
		if !slices.Contains(kinds, one.kind) {
			kinds = append(kinds, one.kind)
		}
	}
	return kinds
}

// detail joins the first details into one line, each once.
func (f findings) detail() string {
	var all []string
	for _, one := range f {
		if !slices.Contains(all, one.detail) {
			all = append(all, one.detail)
		}
	}
	if len(all) > mostDetails {
		all = append(all[:mostDetails], "and more")
	}
	return strings.Join(all, "; ")
}

// outcome returns the outcome of an exchange with these findings.
func (f findings) outcome() string {
	outcome := score.Right
	for _, one := range f {
		switch {
		case one.kind == score.FaultLost:
			outcome = score.Lost
		case one.kind == score.FaultLate && outcome == score.Right:
			outcome = score.Late
		case one.kind != score.FaultLate:
			return score.Wrong
		}
	}
	return outcome
}
