package handler

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

// index returns x[y].
func (h *Handler) index(x, y starlark.Value) (starlark.Value, error) {
	switch x := x.(type) {
	case starlark.Mapping:
		v, found, err := x.Get(y)
		if err == nil && !found {
			err = fmt.Errorf("key %s is not in the dict; x.get(key) returns None for a missing key", shownKey(y))
		}
		return v, err
	case starlark.Indexable:
		n := x.Len()
		i, err := starlark.AsInt32(y)
		if err != nil {
			return nil, fmt.Errorf("index of a %s: %v", x.Type(), err)
		}
		at := i
		if at < 0 {
			at += n
		}
		if at < 0 || at >= n {
			return nil, outside(x, i, n)
		}
		switch x := x.(type) {
		case starlark.String: // copied, so that it does not keep x alive
			return starlark.String(strings.Clone(string(x[at : at+1]))), nil
		case starlark.Bytes:
			return starlark.Bytes(strings.Clone(string(x[at : at+1]))), nil
		}
		return x.Index(at), nil
	}
	return nil, fmt.Errorf("a value of type %s has no elements; accepted before [ ]: packet, bytes, string, list, tuple, dict, range", x.Type())
}

func outside(x starlark.Value, i, n int) error {
	if n == 0 {
		return fmt.Errorf("offset %d is outside an empty %s", i, x.Type())
	}
	return fmt.Errorf("offset %d is outside a %s of %d; accepted: 0 to %d, or -%d to -1 from the end", i, x.Type(), n, n-1, n)
}

// slice returns x[lo:hi:step].
func (h *Handler) slice(x, lo, hi, step starlark.Value) (starlark.Value, error) {
	sequence, ok := x.(starlark.Sliceable)
	if !ok {
		return nil, fmt.Errorf("a value of type %s cannot be sliced; accepted before [a:b]: packet, bytes, string, list, tuple, range", x.Type())
	}
	n, by := sequence.Len(), 1
	var err error
	if step != starlark.None {
		if by, err = starlark.AsInt32(step); err != nil || by == 0 {
			return nil, fmt.Errorf("the step of a slice is %s; accepted: a number other than 0", clip(step.String()))
		}
	}
	first, last := 0, n
	if by < 0 {
		first, last = n-1, -1
	}
	// Bounds beyond the ends are clamped, as in Python.
	clamp := func(v starlark.Value, at *int) {
		if v == starlark.None || err != nil {
			return
		}
		var i int
		if i, err = starlark.AsInt32(v); err != nil {
			err = fmt.Errorf("bound of a slice: %w", err)
			return
		}
		if i < 0 {
			i += n
		}
		if by > 0 {
			*at = min(max(i, 0), n)
		} else {
			*at = min(max(i, -1), n-1)
		}
	}
	clamp(lo, &first)
	clamp(hi, &last)
	if err != nil {
		return nil, err
	}
	if by > 0 {
		last = max(first, last)
	} else {
		first = max(first, last)
	}
	count := (last-first)/by + 1
	switch x := x.(type) {
	case starlark.String:
		if err := h.charge(count); err != nil {
			return nil, err
		}
		return starlark.String(strings.Clone(string(x.Slice(first, last, by).(starlark.String)))), nil
	case starlark.Bytes:
		if err := h.charge(count); err != nil {
			return nil, err
		}
		return starlark.Bytes(strings.Clone(string(x.Slice(first, last, by).(starlark.Bytes)))), nil
	case starlark.Tuple:
		if err := h.charge(count * elementBytes); err != nil {
			return nil, err
		}
		return append(starlark.Tuple(nil), x.Slice(first, last, by).(starlark.Tuple)...), nil
	case *buffer:
		if err := h.charge(count); err != nil {
			return nil, err
		}
	default:
		if err := h.charge(listBytes + count*elementBytes); err != nil {
			return nil, err
		}
	}
	return sequence.Slice(first, last, by), nil
}
