package handler

import (
	"errors"
	"fmt"
	"math/bits"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const tooLong = "a number has over 1024 bits; accepted: at most 1024"

// host is the signature of a function of the host.
type host = func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

// operators returns the functions that replace operations in a rewritten program.
func (h *Handler) operators() map[string]host {
	return map[string]host{
		opBinary: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return h.binary(string(args[0].(starlark.String)), args[1], args[2])
		},
		opUpdate: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return h.update(string(args[0].(starlark.String)), args[1], args[2])
		},
		opCompare: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return h.compare(string(args[0].(starlark.String)), args[1], args[2])
		},
		opIndex: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return h.index(args[0], args[1])
		},
		opSlice: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return h.slice(args[0], args[1], args[2], args[3])
		},
		opMethod: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return h.method(args[0], string(args[1].(starlark.String)), args[2:], kwargs)
		},
		opTuple: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return tuple(args[0])
		},
		opDict: func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return args[0], h.charge(dictBytes)
		},
	}
}

// binary applies an operator after charging for its result.
func (h *Handler) binary(op string, x, y starlark.Value) (starlark.Value, error) {
	var token syntax.Token
	switch op {
	case "+":
		token = syntax.PLUS
		if err := h.chargeSum(x, y); err != nil {
			return nil, err
		}
	case "-":
		token = syntax.MINUS
	case "<<":
		token = syntax.LTLT
	case "*":
		token = syntax.STAR
		if err := h.chargeRepeat(x, y); err != nil {
			return nil, err
		}
	case "%":
		token = syntax.PERCENT
		if format, ok := x.(starlark.String); ok {
			if err := h.chargeFormat(string(format), "%", starlark.Tuple{y}); err != nil {
				return nil, err
			}
		}
	case "|":
		token = syntax.PIPE
		a, ok := x.(*starlark.Dict)
		b, ok2 := y.(*starlark.Dict)
		if ok && ok2 {
			if err := h.charge(dictBytes + (a.Len()+b.Len())*entryBytes); err != nil {
				return nil, err
			}
		}
	case "in", "not in":
		return h.contains(op, x, y)
	default:
		return nil, fmt.Errorf("unknown operator %s", op)
	}
	if p, ok := x.(*buffer); ok && op == "+" {
		x = starlark.Bytes(p.data)
	}
	if p, ok := y.(*buffer); ok && op == "+" {
		y = starlark.Bytes(p.data)
	}
	z, err := starlark.Binary(token, x, y)
	if err != nil {
		return nil, err
	}
	return z, sized(z)
}

// sized returns an error if a number or tuple is too large.
func sized(z starlark.Value) error {
	switch z := z.(type) {
	case starlark.Int:
		if _, small := z.Int64(); !small && z.BigInt().BitLen() > maxBits {
			return errors.New(tooLong)
		}
	case starlark.Tuple:
		return bounded(z)
	}
	return nil
}

func (h *Handler) chargeSum(x, y starlark.Value) error {
	switch x := x.(type) {
	case starlark.Int:
		return nil
	case starlark.String, starlark.Bytes, *buffer:
		return h.charge(starlark.Len(x) + max(starlark.Len(y), 0))
	case *starlark.List, starlark.Tuple:
		return h.charge(listBytes + (starlark.Len(x)+max(starlark.Len(y), 0))*elementBytes)
	}
	return nil
}

func (h *Handler) chargeRepeat(x, y starlark.Value) error {
	n, ok := y.(starlark.Int)
	if !ok {
		if n, ok = x.(starlark.Int); !ok {
			return nil
		}
		x = y
	}
	each := 0
	switch x := x.(type) {
	case starlark.String, starlark.Bytes:
		each = starlark.Len(x)
	case *starlark.List, starlark.Tuple:
		each = starlark.Len(x) * elementBytes
	default:
		return nil
	}
	count, ok := n.Uint64()
	if n.Sign() <= 0 {
		return nil
	}
	over, bytes := bits.Mul64(uint64(each), count)
	if !ok || over != 0 || bytes > 1<<40 {
		bytes = 1 << 40
	}
	return h.charge(listBytes + int(bytes))
}

// update applies the operator of an augmented assignment.
func (h *Handler) update(op string, x, y starlark.Value) (starlark.Value, error) {
	switch x := x.(type) {
	case *starlark.List:
		if more, ok := y.(starlark.Iterable); ok && op == "+" {
			return x, h.extend(x, more)
		}
	case *starlark.Dict:
		if more, ok := y.(*starlark.Dict); ok && op == "|" {
			if err := h.charge(more.Len() * entryBytes); err != nil {
				return nil, err
			}
			for k, v := range more.Entries() {
				if err := x.SetKey(k, v); err != nil {
					return nil, err
				}
			}
			return x, nil
		}
	}
	return h.binary(op, x, y)
}

// Limits of a tuple. It may be a key, which is hashed and shown as a whole, and its nested
// tuples may be the same tuple many times.
const (
	tupleNodes = 1024
	tupleBytes = 64 << 10
)

// tuple returns t, or an error if it is a tuple that is too large.
func tuple(t starlark.Value) (starlark.Value, error) {
	if t, ok := t.(starlark.Tuple); ok {
		return t, bounded(t)
	}
	return t, nil
}

func bounded(t starlark.Tuple) error {
	nodes, bytes := tupleNodes, tupleBytes
	if !within(t, &nodes, &bytes) {
		return fmt.Errorf("a tuple holds over %d values or %d bytes, including nested tuples; use a list", tupleNodes, tupleBytes)
	}
	return nil
}

func within(t starlark.Tuple, nodes, bytes *int) bool {
	*nodes -= len(t)
	for _, e := range t {
		switch e := e.(type) {
		case starlark.String:
			*bytes -= len(e)
		case starlark.Bytes:
			*bytes -= len(e)
		case starlark.Tuple:
			if *nodes < 0 || !within(e, nodes, bytes) {
				return false
			}
		}
	}
	return *nodes >= 0 && *bytes >= 0
}
