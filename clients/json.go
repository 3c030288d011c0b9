package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// parseJSON parses JSON with or without comments and trailing commas. An empty text gives an
// empty object.
func parseJSON(text []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return map[string]any{}, nil
	}
	standard, err := hujson.Standardize(bytes.Clone(text))
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "hujson: "))
	}
	decoder := json.NewDecoder(bytes.NewReader(standard))
	decoder.UseNumber()
	var all map[string]any
	if err := decoder.Decode(&all); err != nil || all == nil {
		return nil, errors.New("it is not a JSON object")
	}
	return all, nil
}

// addJSON adds a server at the end of the object key. The form of what it writes tells
// withoutJSON what was there before: it differs for a new file, a new object for the servers,
// the first server in an empty object, and a further server.
func addJSON(text []byte, key, name string, fields Fields) []byte {
	plain := style{eol: "\n", unit: "  "}
	document := "{\n  " + quote(key) + ": {\n    " + quote(name) + ": " + fields.json("    ", plain) + "\n  }\n}"
	if len(bytes.TrimSpace(text)) == 0 {
		if text == nil {
			document += "\n"
		}
		return append(bytes.Clone(text), document...)
	}
	root, ok := rootOf(text)
	if !ok {
		return nil
	}
	s := root.style()
	at := root.index(key)
	if at < 0 {
		return root.insert(quote(key)+": ", func(indent string, lines bool) string {
			if !lines || len(root.members) == 0 {
				return "{" + quote(name) + ": " + fields.line() + "}"
			}
			in := indent + s.unit
			return "{" + s.eol + in + quote(name) + ": " + fields.json(in, s) + s.eol + indent + "}"
		}, s)
	}
	servers, ok := root.inner(at)
	if !ok {
		return nil
	}
	return servers.insert(quote(name)+": ", func(indent string, lines bool) string {
		if !lines || len(servers.members) == 0 {
			return fields.line()
		}
		return fields.json(indent, s)
	}, s)
}

// withoutJSON returns the texts from which addJSON may have made text. Remove finds the right
// one by calling addJSON on each.
func withoutJSON(text []byte, key, name string) [][]byte {
	p, ok := placeOf(text, key, name)
	if !ok {
		return nil
	}
	var all [][]byte
	if len(p.root.members) == 1 && len(p.servers.members) == 1 {
		all = append(all, nil, []byte(p.root.text[:p.root.open]))
	}
	if len(p.servers.members) == 1 {
		all = append(all, p.root.cut(p.at)...)
	}
	return append(all, p.servers.cut(p.i)...)
}

// A place is where a server stands in a configuration.
type place struct {
	root    object
	at      int    // index of the servers in root
	servers object // the value of that member
	i       int    // index of the server in servers
}

// placeOf finds the server name in the servers called key. ok is false if it is not there.
func placeOf(text []byte, key, name string) (p place, ok bool) {
	if p.root, ok = rootOf(text); !ok {
		return p, false
	}
	if p.at = p.root.index(key); p.at < 0 {
		return p, false
	}
	if p.servers, ok = p.root.inner(p.at); !ok {
		return p, false
	}
	p.i = p.servers.index(name)
	return p, p.i >= 0
}

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// json formats the fields with one field per line.
func (f Fields) json(indent string, s style) string {
	var out strings.Builder
	out.WriteString("{")
	for i, field := range f {
		if i > 0 {
			out.WriteString(",")
		}
		out.WriteString(s.eol + indent + s.unit + quote(field.Key) + ": " + valueJSON(field.Value))
	}
	return out.String() + s.eol + indent + "}"
}

// line formats the fields on one line.
func (f Fields) line() string {
	var parts []string
	for _, field := range f {
		parts = append(parts, quote(field.Key)+": "+valueJSON(field.Value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func valueJSON(value any) string {
	if list, ok := value.([]string); ok {
		var parts []string
		for _, v := range list {
			parts = append(parts, quote(v))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if text, ok := value.(string); ok {
		return quote(text)
	}
	return fmt.Sprint(value)
}
