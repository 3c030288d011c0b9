package handler

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// compareNodes is the most values that one comparison may visit. A nested text of textBytes
// counts as one more.
const (
	compareNodes = 10_000
	textBytes    = 1024
)

func (h *Handler) compare(op string, x, y starlark.Value) (starlark.Value, error) {
	var token syntax.Token
	switch op {
	case "==":
		token = syntax.EQL
	case "!=":
		token = syntax.NEQ
	case "<":
		token = syntax.LT
	case "<=":
		token = syntax.LE
	case ">":
		token = syntax.GT
	default:
		token = syntax.GE
	}
	for _, v := range [2]starlark.Value{x, y} {
		if err := h.weigh(compareNodes, v); err != nil {
			return nil, err
		}
	}
	ok, err := starlark.Compare(token, x, y)
	return starlark.Bool(ok), err
}

// weigh returns an error if values contain more than most values, and charges steps. A text
// that is not in another value does not count, because the texts that it is compared with do.
func (h *Handler) weigh(most int, values ...starlark.Value) error {
	left := most
	for _, v := range values {
		switch v.(type) {
		case starlark.String, starlark.Bytes:
			if starlark.Len(v) > 1<<16 { // slow to compare
				if err := h.check(); err != nil {
					return err
				}
			}
			continue
		case starlark.Int, starlark.Bool, starlark.NoneType:
			continue
		}
		if !weigh(v, &left, 0) {
			return tooHeavy(most)
		}
	}
	return h.work((most - left) / 16)
}

func tooHeavy(most int) error {
	return fmt.Errorf("the compared value holds over %d values (%d bytes of text count as one) or is nested too deep: compare parts of it", most, textBytes)
}

// weigh subtracts the number of values in v from left, and reports whether left was enough.
func weigh(v starlark.Value, left *int, depth int) bool {
	*left--
	if *left < 0 || depth > 50 {
		return false
	}
	switch v := v.(type) {
	case starlark.String, starlark.Bytes, *buffer:
		*left -= starlark.Len(v) / textBytes
		return *left >= 0
	case starlark.Tuple:
		for _, e := range v {
			if !weigh(e, left, depth+1) {
				return false
			}
		}
	case *starlark.List:
		for i := range v.Len() {
			if !weigh(v.Index(i), left, depth+1) {
				return false
			}
		}
	case *starlark.Dict:
		for k, e := range v.Entries() {
			if !weigh(k, left, depth+1) || !weigh(e, left, depth+1) {
				return false
			}
		}
	}
	return true
}

func (h *Handler) contains(op string, x, y starlark.Value) (starlark.Value, error) {
	found := false
	switch c := y.(type) {
	case *starlark.List, starlark.Tuple:
		if err := h.weigh(10*compareNodes, x, y); err != nil {
			return nil, err
		}
		has, err := y.(starlark.Container).Has(x)
		if err != nil {
			return nil, err
		}
		found = has
	case starlark.Mapping:
		_, has, err := c.Get(x)
		if err != nil {
			return nil, err
		}
		found = has
	case starlark.Container: // strings, bytes, ranges, packets
		if err := h.search(starlark.Len(y), starlark.Len(x)); err != nil {
			return nil, err
		}
		has, err := c.Has(x)
		if err != nil {
			return nil, err
		}
		found = has
	default:
		return nil, fmt.Errorf("unknown binary op: %s %s %s", x.Type(), op, y.Type())
	}
	return starlark.Bool(found == (op == "in")), nil
}
