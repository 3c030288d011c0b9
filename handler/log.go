package handler

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// log keeps a line for the agent.
func (h *Handler) log(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, errors.New("log takes no named arguments")
	}
	line, err := h.words(args)
	if err != nil {
		return nil, err
	}
	line = printable(line[:min(len(line), 4*(logChars+1))]) // a character has at most 4 bytes
	if len(line) > logChars {
		line = line[:logChars] + "..."
	}
	if len(h.lines) == logLines {
		h.lines = slices.Delete(h.lines, 0, 1)
	}
	h.lines = append(h.lines, line)
	return starlark.None, nil
}

// words joins values with spaces, and shows bytes as hex.
func (h *Handler) words(values starlark.Tuple) (string, error) {
	var out strings.Builder
	for i, v := range values {
		size, err := shownBytes(v)
		if err == nil {
			err = h.charge(2 * size)
		}
		if err != nil {
			return "", err
		}
		if i > 0 {
			out.WriteByte(' ')
		}
		if s, ok := v.(starlark.String); ok {
			out.WriteString(string(s))
		} else {
			out.WriteString(inHex(v))
		}
	}
	return out.String(), nil
}

// inHex returns v as str does, but with bytes as hex, because they may be text of a packet.
func inHex(v starlark.Value) string {
	var all []string
	switch v := v.(type) {
	case starlark.Bytes:
		return fmt.Sprintf("hex(%x)", string(v))
	case starlark.Tuple:
		for _, e := range v {
			all = append(all, inHex(e))
		}
		if len(all) == 1 {
			return "(" + all[0] + ",)"
		}
		return "(" + strings.Join(all, ", ") + ")"
	case *starlark.List:
		for e := range v.Elements() {
			all = append(all, inHex(e))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case *starlark.Dict:
		for k, e := range v.Entries() {
			all = append(all, inHex(k)+": "+inHex(e))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return v.String()
}

// shownKey formats a key for an error.
func shownKey(k starlark.Value) string {
	switch long := k.(type) {
	case starlark.String: // only the start is shown
		k = long[:min(len(long), 60)]
	case starlark.Bytes:
		k = long[:min(len(long), 60)]
	}
	text := printable(inHex(k))
	if len(text) > 60 {
		text = text[:60] + "..."
	}
	return text
}

func (h *Handler) fail(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	s, err := h.words(args)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("fail: %s", clip(s))
}
