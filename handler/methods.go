package handler

import (
	"fmt"
	"reflect"
	"strings"

	"go.starlark.net/starlark"
)

// method calls a method of a value.
func (h *Handler) method(x starlark.Value, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	switch x := x.(type) {
	case *buffer:
		if len(kwargs) > 0 {
			return nil, fmt.Errorf("%s takes no named arguments; a packet has %s", name, packetMethods)
		}
		return h.packetMethod(x, name, args)
	case *starlark.Dict:
		return h.dictMethod(x, name, args, kwargs)
	case *starlark.List:
		return h.listMethod(x, name, args, kwargs)
	case starlark.String:
		return h.stringMethod(x, name, args, kwargs)
	case starlark.Bytes:
		if name == "elems" && len(args)+len(kwargs) == 0 {
			all := make([]starlark.Value, 0)
			if err := h.charge(len(x) * elementBytes * 2); err != nil {
				return nil, err
			}
			for i := range len(x) {
				all = append(all, starlark.MakeInt(int(x[i])))
			}
			return starlark.NewList(all), nil
		}
		return nil, fmt.Errorf("bytes have no method %s; accepted: elems(), b[i:j], +, len(b), packet(b)", name)
	}
	return nil, fmt.Errorf("a value of type %s has no method %s, or any other", x.Type(), name)
}

// ofLanguage calls the language's own method.
func (h *Handler) ofLanguage(x starlark.HasAttrs, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	f, err := x.Attr(name)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("a %s has no %s; accepted: %s", x.Type(), name, strings.Join(x.AttrNames(), ", "))
	}
	return f.(starlark.Callable).CallInternal(h.thread, args, kwargs)
}

func (h *Handler) dictMethod(d *starlark.Dict, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	switch name {
	case "keys", "values", "items":
		if len(args)+len(kwargs) > 0 {
			return nil, fmt.Errorf("%s takes no arguments", name)
		}
		each := elementBytes
		if name == "items" {
			each = pairBytes
		}
		if err := h.charge(listBytes + d.Len()*each); err != nil {
			return nil, err
		}
		all := make([]starlark.Value, 0, d.Len())
		for k, v := range d.Entries() {
			switch name {
			case "keys":
				all = append(all, k)
			case "values":
				all = append(all, v)
			default: // allocate pairs separately, so that no pair keeps the others alive
				pair, err := tuple(starlark.Tuple{k, v})
				if err != nil {
					return nil, err
				}
				all = append(all, pair)
			}
		}
		return starlark.NewList(all), nil
	case "clear": // the table stays as large as it has become
		if err := h.work(reflect.ValueOf(d).Elem().FieldByIndex(dictTable).Len()); err != nil {
			return nil, err
		}
	case "update":
		if len(args) > 1 {
			return nil, fmt.Errorf("update takes one positional argument, not %d", len(args))
		}
		return starlark.None, h.enter(h.thread, d, args, kwargs)
	}
	v, err := h.ofLanguage(d, name, args, kwargs)
	if t, ok := v.(starlark.Tuple); ok && err == nil && name == "popitem" {
		return tuple(t)
	}
	return v, err
}

func (h *Handler) listMethod(l *starlark.List, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	switch name {
	case "append":
		if len(args) == 1 && len(kwargs) == 0 {
			return starlark.None, l.Append(args[0])
		}
	case "extend":
		if len(args) == 1 && len(kwargs) == 0 {
			if more, ok := args[0].(starlark.Iterable); ok {
				return starlark.None, h.extend(l, more)
			}
		}
	case "insert", "pop":
		if len(args) > 0 { // the elements behind it move
			if err := h.work(l.Len() / 64); err != nil {
				return nil, err
			}
		}
	case "index", "remove":
		if err := h.weigh(10*compareNodes, append(starlark.Tuple{l}, args...)...); err != nil {
			return nil, err
		}
	}
	return h.ofLanguage(l, name, args, kwargs)
}

// extend appends elements to a list.
func (h *Handler) extend(l *starlark.List, more starlark.Iterable) error {
	all, err := h.collect(more)
	if err != nil {
		return err
	}
	if err := h.charge((l.Len() + len(all)) * elementBytes); err != nil { // it may be reallocated
		return err
	}
	for _, e := range all {
		if err := l.Append(e); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) stringMethod(s starlark.String, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	bytes := 4*len(s) + 64
	argument := func(i int) string {
		if i < len(args) {
			if s, ok := args[i].(starlark.String); ok {
				return string(s)
			}
		}
		return ""
	}
	switch name {
	case "count", "find", "rfind", "index", "rindex", "partition", "rpartition", "replace", "split", "rsplit", "strip", "lstrip", "rstrip":
		if err := h.search(len(s), len(argument(0))); err != nil {
			return nil, err
		}
	}
	switch name {
	case "elems", "elem_ords", "codepoints", "codepoint_ords":
		bytes = len(s) * elementBytes * 3
	case "split", "rsplit":
		bytes = len(s) + (len(s)/2+1)*2*elementBytes
		if sep := argument(0); sep != "" {
			bytes = len(s) + (strings.Count(string(s), sep)+1)*2*elementBytes
		}
	case "splitlines":
		bytes = len(s) + (strings.Count(string(s), "\n")+1)*2*elementBytes
	case "replace":
		bytes = len(s) + (strings.Count(string(s), argument(0))+1)*len(argument(1))
	case "join":
		if len(args) == 1 {
			all, err := h.collect(args[0])
			if err != nil {
				return nil, err
			}
			bytes = len(all) * len(s)
			for _, e := range all {
				bytes += max(starlark.Len(e), 0)
			}
			bytes *= 2
			args = starlark.Tuple{starlark.NewList(all)}
		}
	case "format":
		values := append(starlark.Tuple(nil), args...)
		for _, pair := range kwargs {
			values = append(values, pair[1])
		}
		if err := h.chargeFormat(string(s), "{", values); err != nil {
			return nil, err
		}
		bytes = 0
	}
	if err := h.charge(bytes); err != nil {
		return nil, err
	}
	v, err := h.ofLanguage(s, name, args, kwargs)
	if err != nil {
		return nil, err
	}
	if iterable, ok := v.(starlark.Iterable); ok && strings.HasSuffix(name, "s") {
		switch v.(type) {
		case *starlark.List, starlark.Tuple:
		default: // elems and the like would keep s alive, so they become lists
			all, err := h.collect(iterable)
			if err != nil {
				return nil, err
			}
			v = starlark.NewList(all)
		}
	}
	return detached(v), nil
}

// detached copies the strings in the result of a string method, because a part of a string
// would keep the whole alive.
func detached(v starlark.Value) starlark.Value {
	switch v := v.(type) {
	case starlark.String:
		return starlark.String(strings.Clone(string(v)))
	case starlark.Tuple:
		for i := range v {
			v[i] = detached(v[i])
		}
	case *starlark.List:
		for i := range v.Len() {
			_ = v.SetIndex(i, detached(v.Index(i)))
		}
	}
	return v
}

// chargeFormat charges for formatting a string, as if each mark stood for the longest of
// values.
func (h *Handler) chargeFormat(format, mark string, values starlark.Tuple) error {
	longest := 0
	for _, v := range values {
		size, err := shownBytes(v)
		if err != nil {
			return err
		}
		if err := h.work(size / 64); err != nil {
			return err
		}
		longest = max(longest, size)
	}
	return h.charge(2 * (len(format) + strings.Count(format, mark)*longest))
}
