package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// decode fills target, a struct, from a JSON object. It is strict: an argument
// that is unknown, mistyped or out of bounds is an error in words. A null
// counts as absent, as does an empty raw.
func (all fields) decode(raw json.RawMessage, target reflect.Value) error {
	var value any = map[string]any{}
	if len(bytes.TrimSpace(raw)) > 0 && string(bytes.TrimSpace(raw)) != "null" {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber() // 1e3 and 9007199254740993 must not pass through a float
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("the arguments are no JSON object: %w", err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return errors.New("the arguments are more than one JSON object")
		}
	}
	return all.fill("", value, target)
}

// fill sets the fields of target from value, an object found at path.
func (all fields) fill(path string, value any, target reflect.Value) error {
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %s; accepted: an object with %s", orArguments(path), describe(value), all.names())
	}
	for name := range object {
		if !slices.ContainsFunc(all, func(f field) bool { return f.name == name }) {
			return fmt.Errorf("unknown argument %s; accepted: %s", Quote(dotted(path, name)), all.names())
		}
	}
	for _, f := range all {
		given, ok := object[f.name]
		if !ok || given == nil {
			if f.preset != "" {
				f.set(target, f.value(f.preset))
			}
			continue
		}
		if err := f.decode(dotted(path, f.name), given, target); err != nil {
			return err
		}
	}
	return nil
}

func (f field) set(target, value reflect.Value) {
	slot := target.Field(f.index)
	if f.pointer {
		slot.Set(reflect.New(f.kind))
		slot = slot.Elem()
	}
	slot.Set(value.Convert(f.kind))
}

// decode sets f's field of target from a value found at path.
func (f field) decode(path string, given any, target reflect.Value) error {
	refuse := func() error { return fmt.Errorf("%s is %s; accepted: %s", path, describe(given), f.description) }
	switch f.kind.Kind() {
	case reflect.Int:
		number, ok := given.(json.Number)
		if !ok {
			return refuse()
		}
		n, ok := whole(number)
		if !ok || f.min != nil && n < *f.min || f.max != nil && n > *f.max {
			return refuse()
		}
		f.set(target, reflect.ValueOf(n))
	case reflect.Bool:
		b, ok := given.(bool)
		if !ok {
			return refuse()
		}
		f.set(target, reflect.ValueOf(b))
	case reflect.String:
		s, ok := given.(string)
		if !ok || len(f.enum) > 0 && !slices.Contains(f.enum, s) {
			return refuse()
		}
		f.set(target, reflect.ValueOf(s))
	case reflect.Slice:
		list, ok := given.([]any)
		if !ok {
			return refuse()
		}
		if len(list) < *f.min || len(list) > *f.max {
			return fmt.Errorf("%s has %d elements; accepted: %s", path, len(list), f.description)
		}
		out := reflect.MakeSlice(f.kind, len(list), len(list))
		for i, element := range list {
			if err := f.inner.fill(fmt.Sprintf("%s[%d]", path, i), element, out.Index(i)); err != nil {
				return err
			}
		}
		f.set(target, out)
	case reflect.Struct:
		out := reflect.New(f.kind).Elem()
		if err := f.inner.fill(path, given, out); err != nil {
			return err
		}
		f.set(target, out)
	case reflect.Map:
		object, ok := given.(map[string]any)
		if !ok {
			return refuse()
		}
		pieces := make(map[string]string, len(object))
		for key, element := range object {
			text, ok := element.(string)
			if !ok {
				return fmt.Errorf("%s is %s; accepted: a string", dotted(path, offsetKey(key)), describe(element))
			}
			pieces[key] = text
		}
		f.set(target, reflect.ValueOf(pieces))
	}
	return nil
}

// whole returns the int that a JSON number denotes, 3.0 included.
func whole(number json.Number) (int, bool) {
	if n, err := number.Int64(); err == nil {
		return int(n), int64(int(n)) == n
	}
	f, err := number.Float64()
	if err != nil || f != float64(int(f)) || f > 1<<31 || f < -(1<<31) {
		return 0, false
	}
	return int(f), true
}

func dotted(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orArguments(path string) string {
	if path == "" {
		return "the argument list"
	}
	return path
}

// describe says what a JSON value is, short enough for an error.
func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return "the string " + Quote(v)
	case json.Number:
		return clip(v.String())
	case bool:
		return fmt.Sprint(v)
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return "an object"
	}
	return "something else"
}

// Quote is how a stranger's text stands in an error: quoted, in ASCII, 40 bytes of
// it at most.
func Quote(s string) string { return fmt.Sprintf("%+q", clip(s)) }

// clip keeps a stranger's text short enough to be quoted.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// offsetKey is a key of patch as an error names it: bare if it is a number.
func offsetKey(key string) string {
	if strings.Trim(key, "0123456789") == "" {
		return clip(key)
	}
	return Quote(key)
}
