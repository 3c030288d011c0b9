package clients

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

func parseTOML(text []byte) (map[string]any, error) {
	var all map[string]any
	if err := toml.Unmarshal(text, &all); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "toml: "))
	}
	if all == nil {
		all = map[string]any{}
	}
	return all, nil
}

// addTOML appends a table at the end of the file, so that no other table gets or loses a line.
// It returns nil if key is an inline table, key = { … }, because no further table can extend
// that.
func addTOML(text []byte, key, name string, fields Fields) []byte {
	if inline := regexp.MustCompile(`(?m)^\s*["']?` + key + `["']?\s*=`); inline.Match(text) {
		return nil
	}
	eol := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		eol = "\r\n"
	}
	var out strings.Builder
	out.Write(text)
	if len(text) > 0 {
		out.WriteString(eol) // ends the last line or adds a blank one; Remove tries both
	}
	out.WriteString("[" + key + "." + bareKey(name) + "]")
	for _, f := range fields {
		out.WriteString(eol + f.Key + " = " + valueTOML(f.Value))
	}
	if text == nil || len(text) > 0 {
		out.WriteString(eol)
	}
	return []byte(out.String())
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func bareKey(name string) string {
	if bare.MatchString(name) {
		return name
	}
	return quote(name)
}

// tableHead matches the header of a table.
var tableHead = regexp.MustCompile(`^\s*\[`)

// withoutTOML returns the texts from which addTOML may have made text.
func withoutTOML(text []byte, key, name string) [][]byte {
	head := regexp.MustCompile(`^\s*\[\s*` + key + `\s*\.\s*["']?` + regexp.QuoteMeta(name) + `["']?\s*(\.[^\]]*)?\]\s*(#.*)?$`)
	lines := strings.SplitAfter(string(text), "\n")
	var before, after, tail []string // tail has the lines after the last entry of the table or its subtables
	var found, inside bool
	for _, line := range lines {
		bareLine := strings.TrimRight(line, "\r\n")
		switch {
		case head.MatchString(bareLine):
			found, inside = true, true
		case inside && tableHead.MatchString(bareLine):
			inside = false
			after, tail = append(after, tail...), nil
		}
		switch {
		case inside:
			tail = keepTail(tail, line)
		case found:
			after = append(after, line)
		default:
			before = append(before, line)
		}
	}
	if !found {
		return nil
	}
	after = append(after, tail...)
	front, back := strings.Join(before, ""), strings.TrimLeft(strings.Join(after, ""), "\r\n")
	var all [][]byte
	if front == "" && back == "" {
		return [][]byte{nil, {}}
	}
	for _, blank := range []string{"\r\n", "\n", ""} {
		if cut, ok := strings.CutSuffix(front, blank); ok {
			all = append(all, []byte(cut+back))
		}
	}
	return all
}

// keepTail collects the blank lines and comments at the end of a removed table, which belong
// to the next one.
func keepTail(tail []string, line string) []string {
	if trimmed := strings.TrimSpace(line); trimmed == "" || strings.HasPrefix(trimmed, "#") {
		return append(tail, line)
	}
	return nil
}

func valueTOML(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case []string:
		return valueJSON(v)
	}
	return fmt.Sprint(value)
}
