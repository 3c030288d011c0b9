package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decode fills the struct target from a JSON object. Unknown arguments, wrong
// types and values out of bounds are errors, written for the agent. A null
// value counts as absent; an empty raw counts as {}.
func (all fields) decode(raw json.RawMessage, target reflect.Value) error {
	var value any = map[string]any{}
	if len(bytes.TrimSpace(raw)) > 0 && string(bytes.TrimSpace(raw)) != "null" {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber() // a float64 would change numbers such as 9007199254740993
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("the arguments are not a JSON object: %w", err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return errors.New("the arguments are more than one JSON object: give one")
		}
	}
	return all.fill("", value, target)
}

// fill sets the fields of target from value, which must be an object. Errors
// call it by its path.
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

// decode sets the field f of target. Errors call the value by its path.
func (f field) decode(path string, given any, target reflect.Value) error {
	switch f.kind.Kind() {
	case reflect.Int:
		number, ok := given.(json.Number)
		if !ok {
			return f.refuse(path, given)
		}
		n, ok := whole(number)
		if !ok || f.min != nil && n < *f.min || f.max != nil && n > *f.max {
			return f.refuse(path, given)
		}
		f.set(target, reflect.ValueOf(n))
	case reflect.Bool:
		b, ok := given.(bool)
		if !ok {
			return f.refuse(path, given)
		}
		f.set(target, reflect.ValueOf(b))
	case reflect.String:
		s, ok := given.(string)
		if !ok || len(f.enum) > 0 && !slices.Contains(f.enum, s) {
			return f.refuse(path, given)
		}
		f.set(target, reflect.ValueOf(s))
	case reflect.Slice:
		return f.decodeList(path, given, target)
	case reflect.Struct:
		out := reflect.New(f.kind).Elem()
		if err := f.inner.fill(path, given, out); err != nil {
			return err
		}
		f.set(target, out)
	case reflect.Map:
		return f.decodeMap(path, given, target)
	}
	return nil
}

// decodeList is decode for a slice of structs, or of whole numbers from 1.
func (f field) decodeList(path string, given any, target reflect.Value) error {
	list, ok := given.([]any)
	if !ok {
		return f.refuse(path, given)
	}
	if len(list) < *f.min || len(list) > *f.max {
		return fmt.Errorf("%s has %d elements; accepted: %s", path, len(list), f.description)
	}
	out := reflect.MakeSlice(f.kind, len(list), len(list))
	for i, element := range list {
		if f.inner != nil {
			if err := f.inner.fill(fmt.Sprintf("%s[%d]", path, i), element, out.Index(i)); err != nil {
				return err
			}
			continue
		}
		number, _ := element.(json.Number)
		n, ok := whole(number)
		if !ok || n < 1 {
			return fmt.Errorf("%s[%d] is %s; accepted: a whole number from 1", path, i, describe(element))
		}
		out.Index(i).SetInt(int64(n))
	}
	f.set(target, out)
	return nil
}

// decodeMap is decode for a map of strings, or of slices of strings.
func (f field) decodeMap(path string, given any, target reflect.Value) error {
	object, ok := given.(map[string]any)
	if !ok {
		return f.refuse(path, given)
	}
	out := reflect.MakeMapWithSize(f.kind, len(object))
	for key, element := range object {
		at := dotted(path, offsetKey(key))
		if f.kind.Elem().Kind() == reflect.String {
			text, ok := element.(string)
			if !ok {
				return fmt.Errorf("%s is %s; accepted: a string", at, describe(element))
			}
			out.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(text))
			continue
		}
		list, ok := element.([]any)
		if !ok {
			return fmt.Errorf("%s is %s; accepted: an array of strings", at, describe(element))
		}
		texts := make([]string, len(list))
		for i, element := range list {
			if texts[i], ok = element.(string); !ok {
				return fmt.Errorf("%s[%d] is %s; accepted: a string", at, i, describe(element))
			}
		}
		out.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(texts))
	}
	f.set(target, out)
	return nil
}

// refuse returns the error for a value that the field does not accept.
func (f field) refuse(path string, given any) error {
	return fmt.Errorf("%s is %s; accepted: %s", path, describe(given), f.description)
}

// whole returns the int that a JSON number stands for; 3.0 and 1e3 are fine.
// It works on the digits, since a float64 would round 1e-400 to 0.
func whole(number json.Number) (int, bool) {
	mantissa, power, _ := strings.Cut(strings.ToLower(number.String()), "e")
	before, after, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimRight(before+after, "0")
	if strings.Trim(digits, "-") == "" {
		return 0, true
	}
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent < -maxDigits || exponent > maxDigits {
			return 0, false
		}
	}
	// digits × 10^zeros
	zeros := exponent + len(before) - len(digits)
	if zeros < 0 || zeros > 18 || len(digits) > 19 { // an int64 has 19 digits at most
		return 0, false
	}
	n, err := strconv.ParseInt(digits+strings.Repeat("0", zeros), 10, 64)
	return int(n), err == nil && int64(int(n)) == n
}

// maxDigits is the largest exponent that whole accepts, up or down. No sane
// number has as many digits.
const maxDigits = 1000

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

// describe names a JSON value briefly, for an error.
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

// Quote returns untrusted text for use in an error: in quotes, escaped to ASCII
// and cut after 40 bytes.
func Quote(s string) string { return fmt.Sprintf("%+q", clip(s)) }

// clip cuts s after 40 bytes, on a character boundary, and marks the cut.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// offsetKey returns a key of patch for use in an error, without quotes if it is
// a number.
func offsetKey(key string) string {
	if strings.Trim(key, "0123456789") == "" {
		return clip(key)
	}
	return Quote(key)
}
