package handler

import (
	"fmt"
	"maps"
	"sort"
	"strings"

	"go.starlark.net/starlark"
)

// logLines is how many lines of log are kept, with up to logChars characters each.
const (
	logLines = 50
	logChars = 200
)

// absent tells what to use instead of names that a Starlark program may expect.
var absent = map[string]string{
	"assert":   "use if and fail(...)",
	"getattr":  "write x.name(...)",
	"hasattr":  "type(x) returns the type of a value",
	"dir":      "errors list the methods of a value",
	"set":      "use a dict whose values are True",
	"hash":     "use the value itself as a key",
	"checksum": "this server's assist does not allow it: add 16-bit words, fold the carries, complement (RFC 1071), or update the old checksum (RFC 1624)",
	"fix":      "this server's assist does not allow it: fill in lengths and checksums yourself",
}

// names lists the predeclared names, for errors.
func (h *Handler) names() string {
	var names []string
	for name := range h.functions() {
		names = append(names, name)
	}
	names = append(names, "state", "None", "True", "False")
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// predeclared returns the environment of a program.
func (h *Handler) predeclared() starlark.StringDict {
	all := starlark.StringDict{"state": h.state, nothing: starlark.None}
	for name, f := range h.operators() {
		all[name] = starlark.NewBuiltin(name, f)
	}
	for name, f := range h.functions() {
		all[name] = starlark.NewBuiltin(name, f)
	}
	return all
}

// universe is what the language predeclares in every program. Our programs get only what
// functions returns. The rest is removed for all programs of this process, so that no name
// in a program can refer to it.
var universe = func() starlark.StringDict {
	all := maps.Clone(starlark.Universe)
	for name := range all {
		if name != "None" && name != "True" && name != "False" {
			delete(starlark.Universe, name)
		}
	}
	return all
}()

// native returns a function of the language, unchanged.
func native(name string) host {
	f := universe[name].(*starlark.Builtin)
	return func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return f.CallInternal(thread, args, kwargs)
	}
}

// functions returns the functions that a program can call by name. If the cost of one of
// the language's functions depends on the length of its arguments, it is charged first.
func (h *Handler) functions() map[string]host {
	all := map[string]host{
		"bytes": h.bytes, "dict": h.dict, "enumerate": h.enumerate, "fail": h.fail, "int": h.number("int"), "float": h.number("float"),
		"list": h.list, "log": h.log, "print": h.log, "packet": h.newPacket, "repr": h.str, "str": h.str,
		"reversed": h.reversed, "sorted": h.ordered("sorted"), "max": h.ordered("max"), "min": h.ordered("min"),
		"tuple": h.tuple, "zip": h.zip, "any": h.overall("any"), "all": h.overall("all"),
	}
	for _, name := range []string{"abs", "bool", "chr", "len", "ord", "range", "type"} {
		all[name] = native(name)
	}
	if h.fixes {
		all["checksum"], all["fix"] = h.checksum, h.fix
	}
	return all
}

// collect returns the elements of an iterable value, and charges for each.
func (h *Handler) collect(v starlark.Value) ([]starlark.Value, error) {
	iterable, ok := v.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("a value of type %s cannot be iterated over; accepted: list, tuple, dict, range, packet", v.Type())
	}
	iterator := iterable.Iterate()
	defer iterator.Done()
	var all []starlark.Value
	var e starlark.Value
	for iterator.Next(&e) {
		if err := h.charge(elementBytes * 2); err != nil {
			return nil, err
		}
		if err := h.work(1); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// only returns the single positional argument of the function name. It returns nil if there
// is none and needed is false.
func only(name string, args starlark.Tuple, kwargs []starlark.Tuple, needed bool) (starlark.Value, error) {
	switch {
	case len(kwargs) > 0:
		return nil, fmt.Errorf("%s takes no argument named %s", name, clip(kwargs[0][0].String()))
	case len(args) == 1:
		return args[0], nil
	case len(args) == 0 && !needed:
		return nil, nil
	}
	return nil, fmt.Errorf("%s takes one argument, not %d", name, len(args))
}
