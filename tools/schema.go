package tools

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is one argument, declared by the tags of a struct field:
//
//	json     its name
//	doc      what it means, for the model
//	min,max  bounds of a number, or of the length of an array
//	default  its value when absent
//	enum     the accepted strings, separated by commas
type field struct {
	name, doc   string
	index       int
	kind        reflect.Type // of the value; for a pointer, of what it points to
	min, max    *int
	preset      string   // the default; "" means none
	enum        []string // empty means any string
	pointer     bool
	inner       fields // the fields of a struct, or of each struct in an array
	description string // for errors: "a whole number from 0 to 90000"
}

// fields are the arguments of one object, in the order of their declaration.
type fields []field

// fieldsOf returns the arguments that the struct type t declares, without those
// named in hidden. A field without tags is no argument. A wrong tag is a bug in this
// package, so it panics at start.
func fieldsOf(t reflect.Type, hidden ...string) fields {
	var all fields
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		if tag == "" || slices.Contains(hidden, tag.Get("json")) {
			continue
		}
		f := field{name: tag.Get("json"), doc: tag.Get("doc"), index: i, kind: t.Field(i).Type, preset: tag.Get("default")}
		if f.kind.Kind() == reflect.Pointer {
			f.pointer, f.kind = true, f.kind.Elem()
		}
		f.min, f.max = bound(tag, "min"), bound(tag, "max")
		if enum := tag.Get("enum"); enum != "" {
			f.enum = strings.Split(enum, ",")
		}
		switch {
		case f.kind.Kind() == reflect.Struct:
			f.inner = fieldsOf(f.kind, hidden...)
		case f.kind.Kind() == reflect.Slice && f.kind.Elem().Kind() == reflect.Struct:
			f.inner = fieldsOf(f.kind.Elem(), hidden...)
		}
		f.description = f.accepted()
		all = append(all, f)
	}
	return all
}

func bound(tag reflect.StructTag, name string) *int {
	text, ok := tag.Lookup(name)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("tools: tag %s:%q is not a number", name, text))
	}
	return &n
}

// accepted returns what the argument accepts, in words.
func (f field) accepted() string {
	switch f.kind.Kind() {
	case reflect.Int:
		return "a whole number" + f.between()
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		if len(f.enum) > 0 {
			return "one of " + strings.Join(f.enum, ", ")
		}
		return "a string"
	case reflect.Slice:
		if f.inner == nil {
			return fmt.Sprintf("an array of %d to %d whole numbers from 1", *f.min, *f.max)
		}
		return fmt.Sprintf("an array of %d to %d objects with %s", *f.min, *f.max, f.inner.names())
	case reflect.Struct:
		return "an object with " + f.inner.names()
	case reflect.Map:
		if f.kind.Elem().Kind() == reflect.Slice {
			return `an object of arrays of strings, for instance {"22": ["fc38", "5676"]}`
		}
		return `an object of strings, for instance {"20": "00"}`
	}
	panic(fmt.Sprintf("tools: argument %s has the type %v, which has no schema", f.name, f.kind))
}

func (f field) between() string {
	switch {
	case f.min != nil && f.max != nil:
		return fmt.Sprintf(" from %d to %d", *f.min, *f.max)
	case f.min != nil:
		return fmt.Sprintf(", at least %d", *f.min)
	}
	return ""
}

func (all fields) names() string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

func (all fields) schema() map[string]any {
	properties := make(map[string]any, len(all))
	for _, f := range all {
		properties[f.name] = f.schema()
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}

func (f field) schema() map[string]any {
	var s map[string]any
	low, high := "minimum", "maximum"
	switch f.kind.Kind() {
	case reflect.Int:
		s = map[string]any{"type": "integer"}
	case reflect.Bool:
		s = map[string]any{"type": "boolean"}
	case reflect.Slice:
		s = map[string]any{"type": "array", "items": map[string]any{"type": "integer", "minimum": 1}}
		if f.inner != nil {
			s["items"] = f.inner.schema()
		}
		low, high = "minItems", "maxItems"
	case reflect.Struct:
		s = f.inner.schema()
	case reflect.Map:
		value := map[string]any{"type": "string"}
		if f.kind.Elem().Kind() == reflect.Slice {
			value = map[string]any{"type": "array", "items": value}
		}
		s = map[string]any{"type": "object", "additionalProperties": value}
	default:
		s = map[string]any{"type": "string"}
	}
	if f.doc != "" {
		s["description"] = f.doc
	}
	if f.min != nil {
		s[low] = *f.min
	}
	if f.max != nil {
		s[high] = *f.max
	}
	if len(f.enum) > 0 {
		s["enum"] = f.enum
	}
	if f.preset != "" {
		s["default"] = f.value(f.preset).Interface()
	}
	return s
}

// value parses the text of a default as the argument's type.
func (f field) value(text string) reflect.Value {
	switch f.kind.Kind() {
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			panic(fmt.Sprintf("tools: the default of %s is %q, not a number", f.name, text))
		}
		return reflect.ValueOf(n)
	case reflect.Bool:
		return reflect.ValueOf(text == "true")
	}
	return reflect.ValueOf(text)
}
