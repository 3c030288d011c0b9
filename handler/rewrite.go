package handler

import (
	"maps"
	"slices"
	"strconv"

	"go.starlark.net/syntax"
)

// The interpreter limits steps, but one step can repeat a string 2^30 times, copy a list or
// compare two trees. So a program is rewritten before it is compiled: an operation whose cost
// depends on the size of a value becomes a call of a host function (operators.go) at the same
// position, which charges the meter before it acts. The remaining operations have a small,
// constant cost.
//
// The names of the host functions begin with a space, so no program can use them.
//
// The interpreter looks up predeclared names in a map at every use, but globals by index. So
// the predeclared values that a program uses become globals, assigned before its first
// statement.
const (
	opBinary  = " binary"
	opUpdate  = " update" // x += y, which may change x in place
	opCompare = " compare"
	opIndex   = " index"
	opSlice   = " slice"
	opMethod  = " method"
	opTuple   = " tuple"
	opDict    = " dict"
	nothing   = " None"
)

// maxBits is the largest number of bits of a number.
const maxBits = 1024

// A refusal is a mistake found while rewriting.
type refusal struct {
	pos     syntax.Position
	problem string
}

func (r *refusal) Error() string { return r.problem }

// rewriter rewrites a program.
type rewriter struct {
	known     known
	offered   func(name string) bool // reports whether the host predeclares a name
	used      map[string]bool        // predeclared names that the program uses
	function  *syntax.DefStmt        // the function being rewritten, or nil at the top level and in lambdas
	err       *refusal               // the first refusal
	temporary int                    // number of temporary variables so far
}

// rewrite rewrites a program. Offered reports whether the host predeclares a name.
func rewrite(file *syntax.File, offered func(name string) bool) error {
	r := rewriter{known: infer(file), offered: offered, used: make(map[string]bool)}
	rewritten := r.block(file.Stmts)
	if r.err != nil {
		return r.err
	}
	start := syntax.MakePosition(&file.Path, 1, 1)
	file.Stmts = nil
	for _, name := range slices.Sorted(maps.Keys(r.used)) {
		file.Stmts = append(file.Stmts, equals(start, ident(start, ofHost+name), ident(start, name)))
	}
	file.Stmts = append(file.Stmts, rewritten...)
	return nil
}

// ofHost is the prefix of the globals with the host's predeclared values.
const ofHost = " host "

// host returns the global for the host's predeclared value with that name.
func (r *rewriter) host(pos syntax.Position, name string) *syntax.Ident {
	r.used[name] = true
	return ident(pos, ofHost+name)
}

func ident(pos syntax.Position, name string) *syntax.Ident {
	return &syntax.Ident{NamePos: pos, Name: name}
}

func (r *rewriter) refuse(n syntax.Node, problem string) {
	if r.err == nil {
		start, _ := n.Span()
		r.err = &refusal{start, problem}
	}
}

func (r *rewriter) block(stmts []syntax.Stmt) []syntax.Stmt {
	var out []syntax.Stmt
	for _, s := range stmts {
		out = append(out, r.statement(s)...)
	}
	return out
}

func (r *rewriter) statement(s syntax.Stmt) []syntax.Stmt {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		return r.assign(s)
	case *syntax.DefStmt:
		r.parameters(s.Params)
		outer := r.function
		r.function = s // infer knows nothing about nested functions
		s.Body = r.block(s.Body)
		r.function = outer
	case *syntax.ExprStmt:
		s.X = r.value(s.X)
	case *syntax.ForStmt:
		s.Vars, s.X = r.target(s.Vars), r.value(s.X)
		s.Body = r.block(s.Body)
	case *syntax.IfStmt:
		s.Cond = r.value(s.Cond)
		s.True, s.False = r.block(s.True), r.block(s.False)
	case *syntax.ReturnStmt:
		if s.Result != nil {
			s.Result = r.value(s.Result)
		}
	case *syntax.WhileStmt:
		r.refuse(s, "while is not accepted: use for i in range(n) with break")
	case *syntax.LoadStmt:
		r.refuse(s, "load is not accepted: a handler is one file")
	}
	return []syntax.Stmt{s}
}

// parameters rewrites the defaults of parameters.
func (r *rewriter) parameters(params []syntax.Expr) {
	for _, p := range params {
		switch p := p.(type) {
		case *syntax.BinaryExpr: // name=default
			p.Y = r.value(p.Y)
		case *syntax.UnaryExpr:
			r.refuse(p, "* and ** are not accepted in parameters: name each of them")
		}
	}
}

// assign rewrites an assignment. An augmented one becomes a plain one, unless its operation
// stays native.
func (r *rewriter) assign(s *syntax.AssignStmt) []syntax.Stmt {
	if s.Op == syntax.EQ {
		s.LHS = r.target(s.LHS)
		if unpacked(s.LHS) { // the tuple on the right is unpacked at once
			s.RHS = r.tupleElements(s.RHS)
		} else {
			s.RHS = r.value(s.RHS)
		}
		return []syntax.Stmt{s}
	}
	op := s.Op - syntax.PLUS_EQ + syntax.PLUS
	if r.harmless(op, nil, s.RHS) {
		s.LHS, s.RHS = r.target(s.LHS), r.value(s.RHS)
		return []syntax.Stmt{s}
	}
	update := func(x syntax.Expr) syntax.Expr {
		return r.ask(s.OpPos, opUpdate, text(s.OpPos, op.String()), x, r.operand(op, s.RHS))
	}
	switch lhs := unparen(s.LHS).(type) {
	case *syntax.Ident:
		return []syntax.Stmt{equals(s.OpPos, ident(lhs.NamePos, lhs.Name), update(lhs))}
	case *syntax.IndexExpr: // x and i of x[i] are evaluated once
		r.temporary++
		x, i := " x"+strconv.Itoa(r.temporary), " i"+strconv.Itoa(r.temporary)
		name := func(n string) syntax.Expr { return ident(lhs.Lbrack, n) }
		return []syntax.Stmt{
			equals(s.OpPos, name(x), r.value(lhs.X)),
			equals(s.OpPos, name(i), r.value(lhs.Y)),
			equals(s.OpPos, &syntax.IndexExpr{X: name(x), Lbrack: lhs.Lbrack, Y: name(i), Rbrack: lhs.Rbrack},
				update(r.ask(lhs.Lbrack, opIndex, name(x), name(i)))),
		}
	default:
		s.LHS = r.target(s.LHS)
		return []syntax.Stmt{s}
	}
}

func equals(pos syntax.Position, lhs, rhs syntax.Expr) *syntax.AssignStmt {
	return &syntax.AssignStmt{OpPos: pos, Op: syntax.EQ, LHS: lhs, RHS: rhs}
}

// unpacked reports whether an assignment to e unpacks a sequence.
func unpacked(e syntax.Expr) bool {
	switch unparen(e).(type) {
	case *syntax.TupleExpr, *syntax.ListExpr:
		return true
	}
	return false
}

// ask returns a call of the host's function with that name.
func (r *rewriter) ask(pos syntax.Position, name string, args ...syntax.Expr) syntax.Expr {
	return &syntax.CallExpr{Fn: r.host(pos, name), Lparen: pos, Args: args, Rparen: pos}
}

func text(pos syntax.Position, s string) syntax.Expr {
	return &syntax.Literal{Token: syntax.STRING, TokenPos: pos, Raw: strconv.Quote(s), Value: s}
}

// unparen returns e without parentheses around it.
func unparen(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.ParenExpr)
		if !ok {
			return e
		}
		e = p.X
	}
}
