package handler

import "go.starlark.net/syntax"

// bits returns the maximum number of bits of an expression in function f, or 0 if it may not
// be a number.
func (k known) bits(f *syntax.DefStmt, e syntax.Expr) int {
	if number(k.literal(e)) {
		return 64
	}
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return k.bits(f, e.X)
	case *syntax.IndexExpr:
		if k.isPacket(f, e.X) {
			return 8
		}
	case *syntax.CallExpr:
		switch callee := unparen(e.Fn).(type) {
		case *syntax.Ident:
			if (callee.Name == "len" || callee.Name == "checksum") && k.bound[callee.Name] == 0 {
				return 32
			}
		case *syntax.DotExpr:
			if name := callee.Name.Name; (name == "u16" || name == "u32") && k.isPacket(f, callee.X) {
				return 32
			}
		}
	case *syntax.BinaryExpr:
		width, known := k.widths[e]
		if !known {
			width = k.width(f, e)
			k.widths[e] = width
		}
		return width
	}
	return 0
}

// width is bits for a binary operation.
func (k known) width(f *syntax.DefStmt, e *syntax.BinaryExpr) int {
	x, y := k.bits(f, e.X), k.bits(f, e.Y)
	both := x > 0 && y > 0
	switch {
	case e.Op == syntax.AMP && (positive(k.literal(e.X)) || positive(k.literal(e.Y))):
		return 64 // for any other operand
	case !both:
	case e.Op == syntax.PLUS || e.Op == syntax.MINUS:
		return max(x, y) + 1
	case e.Op == syntax.STAR:
		return x + y
	case e.Op == syntax.LTLT:
		return x + shift(k.literal(e.Y))
	case e.Op == syntax.PIPE || e.Op == syntax.CIRCUMFLEX || e.Op == syntax.AMP:
		return max(x, y) + 1
	case e.Op == syntax.GTGT:
		return x
	}
	return 0
}

func (r *rewriter) bits(e syntax.Expr) int { return r.known.bits(r.function, e) }

// small reports whether bits is the size of a number (0 is not), and small enough that the
// product of two such numbers, or a shift by that much, is within maxBits.
func small(bits int) bool { return bits > 0 && bits <= maxBits/2 }
