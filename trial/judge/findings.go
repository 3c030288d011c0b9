package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// findings are what the judge found wrong, one by one.
type findings []finding

type finding struct {
	kind   string // a Fault constant
	detail string // what exactly
}

func (f *findings) add(kind, format string, values ...any) {
	*f = append(*f, finding{kind, fmt.Sprintf(format, values...)})
}

// blame adds what came of all that was found: under the first kind, as that is
// the reason, or under kind if nothing was.
func (f *findings) blame(kind, detail string) {
	if len(*f) > 0 {
		kind = (*f)[0].kind
	}
	f.add(kind, "%s", detail)
}

// kinds returns every kind once, in the order found: an exchange counts once
// under each of its kinds.
func (f findings) kinds() (kinds []string) {
	for _, one := range f {
		if !slices.Contains(kinds, one.kind) {
			kinds = append(kinds, one.kind)
		}
	}
	return kinds
}

// detail puts everything into one line.
func (f findings) detail() string {
	var all []string
	for _, one := range f {
		if !slices.Contains(all, one.detail) {
			all = append(all, one.detail)
		}
	}
	return strings.Join(all, "; ")
}

// outcome is what findings make of an exchange.
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
