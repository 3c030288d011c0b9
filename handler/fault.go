package handler

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A Fault is a mistake at a position in a program's source.
type Fault struct {
	Name         string   // of the file
	Line, Column int      // from 1
	Text         string   // the line, with a question mark for everything but printable ASCII
	Problem      string   // what is wrong there, and what is accepted
	Trace        []string // the calls that led there, three at most
}

// Error returns several lines: the position and the problem, the source line, a mark below
// the column, and the calls that led there.
func (f *Fault) Error() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s:%d:%d: %s", f.Name, f.Line, f.Column, f.Problem)
	if strings.TrimSpace(f.Text) != "" {
		fmt.Fprintf(&out, "\n    %s", f.Text)
		if f.Column >= 1 && f.Column <= len(f.Text)+1 {
			fmt.Fprintf(&out, "\n    %s^", strings.Repeat(" ", f.Column-1))
		}
	}
	for _, call := range f.Trace {
		out.WriteString("\n" + call)
	}
	return out.String()
}

// at returns a Fault for a problem at a position.
func (h *Handler) at(pos syntax.Position, problem string) *Fault {
	f := &Fault{Name: h.name, Line: int(pos.Line), Column: int(pos.Col), Problem: clip(problem)}
	lines := strings.SplitN(h.source, "\n", f.Line+1)
	if f.Line >= 1 && f.Line <= len(lines) {
		f.Text = lines[f.Line-1]
		if text := []rune(f.Text); len(text) > 160 { // too long to mark a column
			f.Text = ""
		}
		f.Text = strings.Map(func(r rune) rune { // one character each, so that the mark stays below the column
			switch {
			case r == '\t':
				return ' '
			case !plain(r):
				return '?'
			}
			return r
		}, strings.TrimRight(f.Text, "\r"))
	}
	return f
}

// fault turns an error of the parser, the resolver or the interpreter into one for the
// agent.
func (h *Handler) fault(err error) error {
	var (
		parse    syntax.Error
		refused  *refusal
		resolved resolve.ErrorList
		eval     *starlark.EvalError
	)
	switch {
	case errors.As(err, &parse):
		f := h.at(parse.Pos, parse.Msg)
		f.Problem = python(f)
		return f
	case errors.As(err, &refused):
		return h.at(refused.pos, refused.problem)
	case errors.As(err, &resolved):
		problem := resolved[0].Msg
		if name, ok := strings.CutPrefix(problem, "undefined: "); ok {
			name, _, _ = strings.Cut(name, " ")
			problem = fmt.Sprintf("there is no %s; accepted: %s, and the names that the program defines", name, h.names())
			if why := absent[name]; why != "" {
				problem = fmt.Sprintf("there is no %s: %s", name, why)
			}
		}
		if more := len(resolved) - 1; more > 0 {
			problem += fmt.Sprintf(" (and %d more mistakes of this kind, the next in line %d)", more, resolved[1].Pos.Line)
		}
		return h.at(resolved[0].Pos, problem)
	case errors.As(err, &eval):
		return h.evalFault(eval)
	}
	if _, done := errors.AsType[*Fault](err); done {
		return err
	}
	return errors.New(clip(err.Error()))
}

func (h *Handler) evalFault(eval *starlark.EvalError) error {
	problem := eval.Msg
	if h.stopped != nil {
		problem = h.stopped.Error()
	}
	if strings.HasPrefix(problem, "duplicate key: ") {
		problem = "two entries of a dict have the same key" // which may be text of a packet
	}
	if strings.Contains(problem, "frozen") {
		problem += ": globals are constant after loading; keep values that change in state"
	}
	if strings.HasSuffix(problem, "called recursively") {
		problem += ": recursion is not accepted, use a loop"
	}
	var fault *Fault
	for i := range eval.CallStack {
		frame := eval.CallStack.At(i)
		switch {
		case frame.Pos.Filename() != h.name: // a host function
		case fault == nil:
			fault = h.at(frame.Pos, problem)
		case len(fault.Trace) < 3:
			fault.Trace = append(fault.Trace, fmt.Sprintf("called from %s:%d:%d in %s", h.name, frame.Pos.Line, frame.Pos.Col, clip(frame.Name)))
		}
	}
	if fault == nil {
		return errors.New(clip(problem))
	}
	return fault
}

// clip cuts text for an error to a readable length and makes it printable.
func clip(s string) string {
	const most = 600
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return printable(s)
}

// plain reports whether r is printable ASCII.
func plain(r rune) bool { return r >= ' ' && r <= '~' }

// printable returns s with everything but printable ASCII escaped, as in a string of the
// language.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	var out strings.Builder
	for i, r := range s {
		switch {
		case plain(r):
			out.WriteRune(r)
		case r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], string(r)):
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case r < 0x80:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	return out.String()
}
