package handler

import (
	"fmt"
	"math/big"

	"go.starlark.net/syntax"
)

// target rewrites the left side of an assignment.
func (r *rewriter) target(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.IndexExpr:
		e.X, e.Y = r.value(e.X), r.value(e.Y)
	case *syntax.DotExpr:
		r.refuse(e.Name, fmt.Sprintf("cannot assign to .%s: values have methods, not fields; use a dict", e.Name.Name))
	case *syntax.ParenExpr:
		e.X = r.target(e.X)
	case *syntax.TupleExpr:
		for i := range e.List {
			e.List[i] = r.target(e.List[i])
		}
	case *syntax.ListExpr:
		for i := range e.List {
			e.List[i] = r.target(e.List[i])
		}
	}
	return e
}

func (r *rewriter) values(list []syntax.Expr) {
	for i := range list {
		list[i] = r.value(list[i])
	}
}

// value rewrites an expression.
func (r *rewriter) value(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.Literal:
		if n, ok := e.Value.(*big.Int); ok && n.BitLen() > maxBits {
			r.refuse(e, tooLong)
		}
	case *syntax.Ident:
		// state stays predeclared, because it is measured separately and not frozen.
		if r.known.bound[e.Name] == 0 && e.Name != "state" && r.offered(e.Name) {
			return r.host(e.NamePos, e.Name)
		}
	case *syntax.ParenExpr:
		e.X = r.value(e.X)
	case *syntax.UnaryExpr:
		e.X = r.value(e.X)
	case *syntax.BinaryExpr:
		return r.binary(e)
	case *syntax.CallExpr:
		return r.call(e)
	case *syntax.DotExpr:
		r.refuse(e.Name, fmt.Sprintf(".%s without a call: write x.%s(...); values have methods, not fields", e.Name.Name, e.Name.Name))
	case *syntax.IndexExpr:
		if name, ok := e.X.(*syntax.Ident); ok && r.known.packets[r.function][name.Name] {
			e.Y = r.value(e.Y)
			return e
		}
		return r.ask(e.Lbrack, opIndex, r.value(e.X), r.value(e.Y))
	case *syntax.SliceExpr:
		return r.ask(e.Lbrack, opSlice, r.value(e.X), r.bound(e, e.Lo), r.bound(e, e.Hi), r.bound(e, e.Step))
	case *syntax.TupleExpr:
		if constant(e) {
			return e
		}
		start, _ := e.Span()
		return r.ask(start, opTuple, r.tupleElements(e))
	case *syntax.ListExpr:
		r.values(e.List)
	case *syntax.DictExpr:
		r.values(e.List)
		return r.ask(e.Lbrace, opDict, e)
	case *syntax.DictEntry:
		e.Key, e.Value = r.value(e.Key), r.value(e.Value)
	case *syntax.CondExpr:
		e.Cond, e.True, e.False = r.value(e.Cond), r.value(e.True), r.value(e.False)
	case *syntax.LambdaExpr:
		r.parameters(e.Params)
		outer := r.function
		r.function = nil
		e.Body = r.value(e.Body)
		r.function = outer
	case *syntax.Comprehension:
		e.Body = r.value(e.Body)
		for _, clause := range e.Clauses {
			switch clause := clause.(type) {
			case *syntax.ForClause:
				clause.Vars, clause.X = r.target(clause.Vars), r.value(clause.X)
			case *syntax.IfClause:
				clause.Cond = r.value(clause.Cond)
			}
		}
		if e.Curly {
			return r.ask(e.Lbrack, opDict, e)
		}
	}
	return e
}

// tupleElements rewrites an expression. If it is a tuple, it is not charged, because nothing
// keeps it.
func (r *rewriter) tupleElements(e syntax.Expr) syntax.Expr {
	if tuple, ok := unparen(e).(*syntax.TupleExpr); ok {
		r.values(tuple.List)
		return tuple
	}
	return r.value(e)
}

// operand rewrites the right side of a binary operator.
func (r *rewriter) operand(op syntax.Token, e syntax.Expr) syntax.Expr {
	if op == syntax.PERCENT { // the values of a format
		return r.tupleElements(e)
	}
	return r.value(e)
}

// bound rewrites a bound of a slice.
func (r *rewriter) bound(slice *syntax.SliceExpr, e syntax.Expr) syntax.Expr {
	if e == nil {
		return r.host(slice.Lbrack, nothing)
	}
	return r.value(e)
}

func (r *rewriter) binary(e *syntax.BinaryExpr) syntax.Expr {
	native := r.harmless(e.Op, e.X, e.Y)
	x, y := r.value(e.X), r.operand(e.Op, e.Y)
	switch e.Op {
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE:
		if !native {
			return r.ask(e.OpPos, opCompare, text(e.OpPos, e.Op.String()), x, y)
		}
	default:
		if !native {
			return r.ask(e.OpPos, opBinary, text(e.OpPos, e.Op.String()), x, y)
		}
	}
	e.X, e.Y = x, y
	return e
}

func (r *rewriter) call(e *syntax.CallExpr) syntax.Expr {
	for _, a := range e.Args {
		switch a := a.(type) {
		case *syntax.UnaryExpr:
			if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
				r.refuse(a, "* and ** are not accepted in calls: give each argument")
				return e
			}
		case *syntax.BinaryExpr:
			if a.Op == syntax.EQ { // name=value
				a.Y = r.value(a.Y)
			}
		}
	}
	for i, a := range e.Args {
		if a, named := a.(*syntax.BinaryExpr); !named || a.Op != syntax.EQ {
			e.Args[i] = r.value(e.Args[i])
		}
	}
	method, ok := unparen(e.Fn).(*syntax.DotExpr)
	if !ok {
		e.Fn = r.value(e.Fn)
		return e
	}
	return r.ask(method.Name.NamePos, opMethod, append([]syntax.Expr{r.value(method.X), text(method.Name.NamePos, method.Name.Name)}, e.Args...)...)
}

// harmless reports whether an operation has a small, constant cost for any operands at run
// time. X is nil if it is unknown.
func (r *rewriter) harmless(op syntax.Token, x, y syntax.Expr) bool {
	switch op {
	case syntax.AND, syntax.OR, syntax.AMP, syntax.CIRCUMFLEX, syntax.GTGT, syntax.SLASH, syntax.SLASHSLASH:
		return true // operands are numbers, and the result is not longer
	case syntax.PLUS, syntax.MINUS, syntax.PIPE:
		// If one operand is a number, the other must be one too, and the result is at most
		// one bit longer.
		return small(r.bits(x)) || small(r.bits(y))
	case syntax.STAR:
		return small(r.bits(x)) && small(r.bits(y))
	case syntax.LTLT:
		return small(r.bits(x)) && small(shift(r.known.literal(y)))
	case syntax.PERCENT:
		return r.bits(x) > 0
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE:
		return scalar(r.known.literal(x)) || scalar(r.known.literal(y)) || r.bits(x) > 0 || r.bits(y) > 0
	case syntax.IN, syntax.NOT_IN:
		return constant(y)
	}
	return false
}
