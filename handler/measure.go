package handler

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"go.starlark.net/starlark"
)

// Approximate sizes of values in memory, in bytes, rather too large.
const (
	elementBytes = 16  // an element of a list or tuple
	listBytes    = 64  // an empty list
	pairBytes    = 96  // a tuple of two, in a list
	dictBytes    = 640 // an empty dict, with room for eight entries
	entryBytes   = 256 // an entry of a dict
	bucketBytes  = 900 // eight entries of a larger dict, with overflow
	bufferBytes  = 96  // an empty packet
)

// deepest is how deep values may be nested in globals.
const deepest = 1000

// The storage of lists and dicts, which does not shrink when elements are removed, and what
// marks a dict as frozen.
var (
	listElements = fieldOf(reflect.TypeFor[starlark.List](), "elems")
	dictTable    = append(fieldOf(reflect.TypeFor[starlark.Dict](), "ht"), fieldOf(fieldType(reflect.TypeFor[starlark.Dict](), "ht"), "table")...)
	dictFrozen   = append(fieldOf(reflect.TypeFor[starlark.Dict](), "ht"), fieldOf(fieldType(reflect.TypeFor[starlark.Dict](), "ht"), "frozen")...)
)

// freeze freezes the globals, in the same order as measure, but not state, which they may
// refer to. A dict that is marked as frozen is not frozen again, and neither is what it holds.
func (h *Handler) freeze() {
	frozen := (*bool)(reflect.ValueOf(h.state).Elem().FieldByIndex(dictFrozen).Addr().UnsafePointer())
	*frozen = true
	for _, name := range h.globals.Keys() {
		h.globals[name].Freeze()
	}
	*frozen = false
}

func fieldType(t reflect.Type, name string) reflect.Type {
	f, ok := t.FieldByName(name)
	if !ok {
		panic("handler: go.starlark.net has changed: no " + name + " in " + t.String())
	}
	return f.Type
}

func fieldOf(t reflect.Type, name string) []int {
	fieldType(t, name)
	f, _ := t.FieldByName(name)
	return f.Index
}

// measure computes how much memory state and globals hold, and returns an error if it is too
// much.
func (h *Handler) measure() error {
	var w weigher
	w.seen = make(map[unsafe.Pointer]bool)
	w.most = h.limits.Memory
	for _, name := range h.globals.Keys() {
		w.add(h.globals[name])
	}
	if w.depth > deepest {
		return fmt.Errorf("a global value is nested %d deep; accepted: at most %d", w.depth, deepest)
	}
	w.add(h.state)
	h.measured, h.since = w.bytes, 0
	h.over = w.bytes > h.limits.Memory
	if h.over {
		return fmt.Errorf("state and globals hold more than the accepted %d bytes. Remove entries that are no longer needed", h.limits.Memory)
	}
	return nil
}

// weigher adds up the memory of reachable values. It visits them in the same order as
// freezing, so depth is the depth of recursion that freezing will have.
type weigher struct {
	seen  map[unsafe.Pointer]bool
	bytes int
	most  int // it stops when bytes are more
	depth int
	stack []frame
}

type frame struct {
	value starlark.Value
	depth int
}

// first reports whether the value at p is new, and records it.
func (w *weigher) first(p unsafe.Pointer) bool {
	if w.seen[p] {
		return false
	}
	w.seen[p] = true
	return true
}

func (w *weigher) add(v starlark.Value) {
	w.stack = append(w.stack[:0], frame{v, 1})
	for len(w.stack) > 0 && w.bytes <= w.most {
		top := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		w.depth = max(w.depth, top.depth)
		from := len(w.stack)
		w.one(top)
		slices.Reverse(w.stack[from:]) // visit the first child next
	}
}

// one adds a value and pushes the values that it refers to.
func (w *weigher) one(top frame) {
	push := func(v starlark.Value) {
		if v != nil {
			w.stack = append(w.stack, frame{v, top.depth + 1})
		}
	}
	switch v := top.value.(type) {
	case starlark.String:
		w.text(string(v))
	case starlark.Bytes:
		w.text(string(v))
	case starlark.Int:
		if _, small := v.Int64(); !small {
			w.bytes += 64 + maxBits/8
		}
		w.bytes += 8
	case starlark.Tuple:
		w.bytes += 24 + len(v)*elementBytes
		for _, e := range v {
			push(e)
		}
	case *starlark.List:
		if w.first(unsafe.Pointer(v)) {
			w.bytes += listBytes + reflect.ValueOf(v).Elem().FieldByIndex(listElements).Cap()*elementBytes
			for i := range v.Len() {
				push(v.Index(i))
			}
		}
	case *starlark.Dict:
		if w.first(unsafe.Pointer(v)) {
			w.bytes += dictBytes
			if n := reflect.ValueOf(v).Elem().FieldByIndex(dictTable).Len(); n > 1 {
				w.bytes += n * bucketBytes
			}
			for k, e := range v.Entries() {
				push(k)
				push(e)
			}
		}
	case *buffer:
		if w.first(unsafe.Pointer(v)) {
			w.bytes += bufferBytes + cap(v.data)
		}
	case *starlark.Function:
		if w.first(unsafe.Pointer(v)) {
			w.bytes += 128
			for i := range v.NumParams() {
				push(v.ParamDefault(i))
				w.bytes += elementBytes
			}
			for i := range v.NumFreeVars() {
				_, e := v.FreeVar(i)
				push(e)
				w.bytes += 3 * elementBytes
			}
		}
	default:
		w.bytes += elementBytes
	}
}

func (w *weigher) text(s string) {
	w.bytes += 16
	if len(s) > 64 && !w.first(unsafe.Pointer(unsafe.StringData(s))) {
		return
	}
	w.bytes += len(s)
}

// shownBytes returns an upper bound on the length of a value as text, in bytes. It returns an
// error above 1 MiB or if the value is nested too deep.
func shownBytes(v starlark.Value) (int, error) {
	left := 1 << 20
	if !shorter(v, &left, 0) {
		return 0, errors.New("a value is too long to become text; accepted: at most 1 MiB, and lists and dicts nested 20 deep")
	}
	return 1<<20 - left, nil
}

// shorter subtracts the length of v as text from left, and reports whether left was enough.
func shorter(v starlark.Value, left *int, depth int) bool {
	if depth > 20 {
		return false
	}
	each := func(e starlark.Value) bool {
		*left -= 2
		return *left > 0 && shorter(e, left, depth+1)
	}
	switch v := v.(type) {
	case starlark.String:
		*left -= 4*len(v) + 2
	case starlark.Bytes:
		*left -= 4*len(v) + 5
	case starlark.Int:
		*left -= 21
		if _, small := v.Int64(); !small {
			*left -= maxBits / 3
		}
	case starlark.Tuple:
		for _, e := range v {
			if !each(e) {
				return false
			}
		}
	case *starlark.List:
		for i := range v.Len() {
			if !each(v.Index(i)) {
				return false
			}
		}
	case *starlark.Dict:
		for k, e := range v.Entries() {
			if !each(k) || !each(e) {
				return false
			}
		}
	case starlark.Callable:
		*left -= len(v.Name()) + 32
	default:
		*left -= 64
	}
	return *left > 0
}
