package handler

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"go.starlark.net/starlark"
)

func (h *Handler) list(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	v, err := only("list", args, kwargs, false)
	if err != nil || v == nil {
		return starlark.NewList(nil), err
	}
	all, err := h.collect(v)
	return starlark.NewList(all), err
}

func (h *Handler) tuple(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	v, err := only("tuple", args, kwargs, false)
	if err != nil || v == nil {
		return starlark.Tuple{}, err
	}
	all, err := h.collect(v)
	if err != nil {
		return nil, err
	}
	return tuple(starlark.Tuple(all))
}

func (h *Handler) reversed(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	v, err := only("reversed", args, kwargs, true)
	if err != nil {
		return nil, err
	}
	all, err := h.collect(v)
	slices.Reverse(all)
	return starlark.NewList(all), err
}

func (h *Handler) dict(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	d := new(starlark.Dict)
	if err := h.charge(dictBytes); err != nil {
		return nil, err
	}
	if len(args) > 1 {
		return nil, fmt.Errorf("dict takes one positional argument, not %d", len(args))
	}
	return d, h.enter(thread, d, args, kwargs)
}

// enter adds the arguments of dict or update to d.
func (h *Handler) enter(thread *starlark.Thread, d *starlark.Dict, args starlark.Tuple, kwargs []starlark.Tuple) error {
	if len(args) == 1 {
		switch v := args[0].(type) {
		case starlark.IterableMapping:
			if err := h.charge(starlark.Len(v) * 2 * entryBytes); err != nil {
				return err
			}
		default:
			pairs, err := h.collect(v)
			if err != nil {
				return err
			}
			if err := h.charge(len(pairs) * 2 * entryBytes); err != nil {
				return err
			}
			var keys starlark.Tuple // they are hashed and compared
			for _, pair := range pairs {
				keys = append(keys, first(pair))
			}
			if err := h.weigh(10*compareNodes, keys); err != nil {
				return err
			}
			args = starlark.Tuple{starlark.NewList(pairs)}
		}
	}
	update, err := d.Attr("update")
	if err != nil {
		return err
	}
	_, err = update.(starlark.Callable).CallInternal(thread, args, kwargs)
	return err
}

// first returns the first element of v, or None.
func first(v starlark.Value) starlark.Value {
	var e starlark.Value = starlark.None
	if iterator := starlark.Iterate(v); iterator != nil {
		iterator.Next(&e)
		iterator.Done()
	}
	return e
}

func (h *Handler) enumerate(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	start := 0
	if len(args) == 2 {
		var err error
		if start, err = starlark.AsInt32(args[1]); err != nil {
			return nil, fmt.Errorf("enumerate: start: %w", err)
		}
		args = args[:1]
	}
	v, err := only("enumerate", args, kwargs, true)
	if err != nil {
		return nil, err
	}
	all, err := h.collect(v)
	if err != nil {
		return nil, err
	}
	if err := h.charge(len(all) * pairBytes); err != nil {
		return nil, err
	}
	for i, e := range all {
		pair := starlark.Tuple{starlark.MakeInt(start + i), e} // allocated separately, so no pair keeps the others alive
		if all[i], err = tuple(pair); err != nil {
			return nil, err
		}
	}
	return starlark.NewList(all), nil
}

func (h *Handler) zip(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, errors.New("zip takes no named arguments")
	}
	var columns [][]starlark.Value
	rows := 0
	for i, a := range args {
		column, err := h.collect(a)
		if err != nil {
			return nil, err
		}
		if i == 0 || len(column) < rows {
			rows = len(column)
		}
		columns = append(columns, column)
	}
	if err := h.charge(rows * (pairBytes + len(columns)*elementBytes)); err != nil {
		return nil, err
	}
	var all []starlark.Value
	for i := range rows {
		row := make(starlark.Tuple, len(columns))
		for k := range columns {
			row[k] = columns[k][i]
		}
		if err := bounded(row); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return starlark.NewList(all), nil
}

// ordered returns sorted, max or min.
func (h *Handler) ordered(name string) host {
	f := native(name)
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if name == "sorted" && len(args) != 1 {
			return nil, fmt.Errorf("sorted takes one argument without a name, not %d; accepted: sorted(list, key=f, reverse=True)", len(args))
		}
		values := []starlark.Value(args)
		if len(args) == 1 {
			var err error
			if values, err = h.collect(args[0]); err != nil {
				return nil, err
			}
			args = starlark.Tuple{starlark.NewList(values)}
		}
		if err := h.charge(len(values) * elementBytes * 4); err != nil {
			return nil, err
		}
		rounds := 1
		if name == "sorted" {
			rounds = bits.Len(uint(len(values)))
		}
		compared := h.compared(rounds)
		for i, pair := range kwargs {
			if key, ok := pair[1].(starlark.Callable); ok {
				kwargs[i] = starlark.Tuple{pair[0], weighed(key, compared)}
				return f(thread, b, args, kwargs)
			}
		}
		for _, v := range values {
			if err := compared(v); err != nil {
				return nil, err
			}
		}
		return f(thread, b, args, kwargs)
	}
}

// compared returns a function that accounts for comparing a value with others, rounds times.
func (h *Handler) compared(rounds int) func(v starlark.Value) error {
	const most = 10 * compareNodes
	left := most
	return func(v starlark.Value) error {
		before := left
		if !weigh(v, &left, 0) {
			return tooHeavy(most)
		}
		return h.work((before - left) * rounds / 4)
	}
}

// weighed returns the function key of sorted, max or min, which passes each result to compared.
func weighed(key starlark.Callable, compared func(v starlark.Value) error) starlark.Value {
	return starlark.NewBuiltin(key.Name(), func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		k, err := starlark.Call(thread, key, args, nil)
		if err != nil {
			return nil, err
		}
		return k, compared(k)
	})
}

// overall returns any or all.
func (h *Handler) overall(name string) host {
	f := native(name)
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		v, err := only(name, args, kwargs, true)
		if err != nil {
			return nil, err
		}
		values, err := h.collect(v)
		if err != nil {
			return nil, err
		}
		return f(thread, b, starlark.Tuple{starlark.NewList(values)}, nil)
	}
}
