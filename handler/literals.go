package handler

import (
	"math/big"

	"go.starlark.net/syntax"
)

// number reports whether e is the literal of a small number, perhaps negative.
func number(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Literal:
		_, small := e.Value.(int64)
		return small
	case *syntax.UnaryExpr:
		return e.Op == syntax.MINUS && number(e.X)
	case *syntax.ParenExpr:
		return number(e.X)
	}
	return false
}

// scalar reports whether e is a literal.
func scalar(e syntax.Expr) bool {
	literal, ok := e.(*syntax.Literal)
	if !ok {
		return number(e)
	}
	_, long := literal.Value.(*big.Int)
	return !long
}

// constant reports whether e is a list or tuple of literals.
func constant(e syntax.Expr) bool {
	var list []syntax.Expr
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return constant(e.X)
	case *syntax.TupleExpr:
		list = e.List
	case *syntax.ListExpr:
		list = e.List
	default:
		return false
	}
	for _, element := range list {
		if !scalar(element) {
			return false
		}
	}
	return true
}

// positive reports whether e is the literal of a small number, which is never negative.
func positive(e syntax.Expr) bool {
	literal, ok := e.(*syntax.Literal)
	if !ok {
		return false
	}
	_, small := literal.Value.(int64)
	return small
}

// shift returns the value of e as a number of bits to shift by, or maxBits if e is not a
// literal or is greater.
func shift(e syntax.Expr) int {
	if literal, ok := e.(*syntax.Literal); ok {
		if n, small := literal.Value.(int64); small && n < maxBits {
			return int(n)
		}
	}
	return maxBits
}

// literal returns the literal that the name e stands for, or e itself.
func (k known) literal(e syntax.Expr) syntax.Expr {
	if name, ok := e.(*syntax.Ident); ok && k.constants[name.Name] != nil {
		return k.constants[name.Name]
	}
	return e
}
