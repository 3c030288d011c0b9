package handler

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// number returns int or float.
func (h *Handler) number(name string) host {
	f := native(name)
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		given := slices.Clone(args)
		for _, pair := range kwargs {
			given = append(given, pair[1])
		}
		for _, v := range given {
			if starlark.Len(v) > maxBits {
				return nil, fmt.Errorf("%s: the text has %d characters; accepted: at most %d", name, starlark.Len(v), maxBits)
			}
		}
		n, err := f(thread, b, args, kwargs)
		if err != nil {
			return nil, err
		}
		return n, sized(n)
	}
}

// bytes converts a packet, a string or numbers to bytes.
func (h *Handler) bytes(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	v, err := only("bytes", args, kwargs, true)
	if err != nil {
		return nil, err
	}
	b, err := h.octets(v)
	if err != nil {
		return nil, fmt.Errorf("bytes: %w", err)
	}
	return starlark.Bytes(b), nil
}

// octets returns the bytes of v, in new memory.
func (h *Handler) octets(v starlark.Value) (string, error) {
	switch v := v.(type) {
	case starlark.String:
		return string(v), h.charge(len(v))
	case starlark.Bytes:
		return string(v), h.charge(len(v))
	case *buffer:
		if err := h.charge(len(v.data)); err != nil {
			return "", err
		}
		return string(v.data), nil
	}
	all, err := h.collect(v)
	if err != nil {
		return "", err
	}
	out := make([]byte, len(all))
	for i, e := range all {
		n, err := natural(e, 0xff)
		if err != nil {
			return "", fmt.Errorf("element %d is %w", i, err)
		}
		out[i] = byte(n)
	}
	return string(out), nil
}

// str implements str and repr.
func (h *Handler) str(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	v, err := only(b.Name(), args, kwargs, true)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(starlark.String); ok && b.Name() == "repr" {
		if err := h.charge(8 * len(s)); err != nil { // every byte may be escaped
			return nil, err
		}
		return starlark.String(strings.Clone(s.String())), nil
	}
	s, err := h.shown(v)
	return starlark.String(s), err
}

// shown converts a value to text.
func (h *Handler) shown(v starlark.Value) (string, error) {
	size, err := shownBytes(v)
	if err == nil {
		err = h.charge(2 * size)
	}
	if err != nil {
		return "", err
	}
	if s, ok := v.(starlark.String); ok {
		return string(s), nil
	}
	return strings.Clone(v.String()), nil
}
