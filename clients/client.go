// Package clients knows the MCP clients: where each keeps its configuration on each system,
// and how to add a server to it and remove it without changing anything else. It does no I/O:
// text goes in and text comes out.
//
// Configurations are edited as text, so comments, order, indentation and line ends stay as
// they are. The text is parsed before and after, and if more than the one server differs,
// the edit fails.
package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Client is an MCP client that can start this server.
type Client struct {
	ID   string // its name on the command line, for instance "codex"
	Name string // its maker's name for it

	// Files returns the possible paths of the client's configuration for the user, not
	// for a project. The first that exists is used. If none exists, the first is made.
	Files func(Machine) []string

	// Programs are commands that show that the client is installed. The folder of its
	// first file shows that too, if it exists.
	Programs []string

	// Shared means that other programs also use the folder of its first file, so the
	// folder does not show that the client is installed.
	Shared bool

	key   string                     // the name of the object with the servers
	toml  bool                       // TOML; false means JSON, with or without comments
	entry func(argv []string) Fields // returns the entry of a server
}

// Errors of Add and Remove. Other errors say why the text cannot be edited.
var (
	ErrThere   = errors.New("already installed")
	ErrDiffers = errors.New("installed with another command or flags")
	ErrOther   = errors.New("another server has that name")
	ErrAbsent  = errors.New("not installed")
)

// Fields are the fields of an entry, in order. Values are strings, ints, bools
// and lists of strings.
type Fields []Field

// A Field is one field of an entry.
type Field struct {
	Key   string
	Value any
}

// Find returns the client with that ID. It returns false if there is none.
func Find(id string) (Client, bool) {
	i := slices.IndexFunc(All, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return Client{}, false
	}
	return All[i], true
}

// IDs returns the IDs of all clients.
func IDs() []string {
	var all []string
	for _, c := range All {
		all = append(all, c.ID)
	}
	return all
}

// Add adds the server name, which argv starts, to a configuration and returns the new text. A
// nil text means that the file does not exist. Add returns ErrThere if the same server is
// there, ErrDiffers if tun-mcp is there with another command or flags, and ErrOther if another
// server has that name.
func (c Client) Add(text []byte, name string, argv []string) ([]byte, error) {
	fields := c.entry(argv)
	there, err := c.server(text, name)
	switch {
	case err != nil:
		return nil, err
	case there != nil && same(there, fields):
		return nil, ErrThere
	case there != nil && startsUs(there):
		return nil, ErrDiffers
	case there != nil:
		return nil, ErrOther
	}
	out := c.add(text, name, fields)
	if out == nil {
		return nil, fmt.Errorf("%s has a form that install cannot edit; add the server by hand", c.key)
	}
	if err := c.onlyThat(text, out, name); err != nil {
		return nil, err
	}
	now, err := c.server(out, name)
	if err == nil && !same(now, fields) {
		err = errors.New("the server differs")
	}
	if err != nil {
		return nil, fmt.Errorf("the edit would go wrong: %w; add the server by hand", err)
	}
	return out, nil
}

// Remove removes the server name from a configuration and returns the new text. If nothing
// has changed since Add, that is the text given to Add, byte for byte; nil means that the file
// did not exist. Otherwise only the server goes, and the comments around it stay. Remove returns ErrAbsent if there is no such server, and ErrOther if it does
// not start tun-mcp.
func (c Client) Remove(text []byte, name string) ([]byte, error) {
	there, err := c.server(text, name)
	switch {
	case err != nil:
		return nil, err
	case there == nil:
		return nil, ErrAbsent
	case !startsUs(there):
		return nil, ErrOther
	}
	fields, exact := c.fieldsOf(there)
	if exact {
		for _, before := range c.without(text, name) {
			if c.add(before, name, fields) != nil && string(c.add(before, name, fields)) == string(text) && c.onlyThat(text, before, name) == nil {
				return before, nil
			}
		}
	}
	for _, before := range c.cut(text, name) {
		if err = c.onlyThat(text, before, name); err == nil {
			return before, nil
		}
	}
	if err == nil {
		err = errors.New("the server is at a place where install cannot remove it; remove it by hand")
	}
	return nil, err
}

// startsUs reports whether a parsed server starts tun-mcp.
func startsUs(there map[string]any) bool {
	return strings.Contains(fmt.Sprint(there["command"], there["args"]), "tun-mcp")
}

// fieldsOf returns the entry that Add would write for the server there. exact reports whether
// that is the entry there.
func (c Client) fieldsOf(there map[string]any) (fields Fields, exact bool) {
	var argv []string
	switch command := there["command"].(type) {
	case string:
		argv = []string{command}
	case []any:
		argv = texts(command)
	}
	if more, ok := there["args"].([]any); ok {
		argv = append(argv, texts(more)...)
	}
	if len(argv) == 0 {
		return nil, false
	}
	fields = c.entry(argv)
	return fields, same(there, fields)
}

func texts(list []any) []string {
	var all []string
	for _, v := range list {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

// same reports whether a parsed server equals fields.
func same(there map[string]any, fields Fields) bool {
	if len(there) != len(fields) {
		return false
	}
	for _, f := range fields {
		a, errA := json.Marshal(there[f.Key])
		b, errB := json.Marshal(f.Value)
		if errA != nil || errB != nil || string(a) != string(b) {
			return false
		}
	}
	return true
}

func (c Client) add(text []byte, name string, fields Fields) []byte {
	if c.toml {
		return addTOML(text, c.key, name, fields)
	}
	return addJSON(text, c.key, name, fields)
}

func (c Client) without(text []byte, name string) [][]byte {
	if c.toml {
		return withoutTOML(text, c.key, name)
	}
	return withoutJSON(text, c.key, name)
}

// cut returns texts without the server name that keep the comments around it.
func (c Client) cut(text []byte, name string) [][]byte {
	if c.toml {
		return withoutTOML(text, c.key, name)
	}
	if out := cutJSON(text, c.key, name); out != nil {
		return [][]byte{out}
	}
	return nil
}

func (c Client) parse(text []byte) (map[string]any, error) {
	if c.toml {
		return parseTOML(text)
	}
	all, err := parseJSON(text)
	if err == nil && c.twice(text) {
		return nil, fmt.Errorf("a key occurs twice, in %q or beside it", c.key)
	}
	return all, err
}

// twice reports whether a key occurs twice in the root object or in the object with the
// servers.
func (c Client) twice(text []byte) bool {
	root, ok := rootOf(text)
	if !ok {
		return false
	}
	if root.twice() {
		return true
	}
	at := root.index(c.key)
	if at < 0 {
		return false
	}
	servers, ok := root.inner(at)
	return ok && servers.twice()
}

// server returns the parsed server name, or nil if there is none.
func (c Client) server(text []byte, name string) (map[string]any, error) {
	all, err := c.parse(text)
	if err != nil {
		return nil, err
	}
	servers, ok := all[c.key]
	if !ok {
		return nil, nil
	}
	object, ok := servers.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%q is not an object", c.key)
	}
	there, ok := object[name]
	if !ok {
		return nil, nil
	}
	if entry, ok := there.(map[string]any); ok {
		return entry, nil
	}
	return nil, fmt.Errorf("%q in %q is not an object", name, c.key)
}

// onlyThat returns an error if a and b differ in more than the server name. An empty object
// of servers counts the same as none.
func (c Client) onlyThat(a, b []byte, name string) error {
	var seen [2]string
	for i, text := range [][]byte{a, b} {
		all, err := c.parse(text)
		if err != nil {
			return err
		}
		if servers, ok := all[c.key].(map[string]any); ok {
			delete(servers, name)
			if len(servers) == 0 {
				delete(all, c.key)
			}
		}
		seen[i] = fmt.Sprintf("%#v", all)
	}
	if seen[0] != seen[1] {
		return errors.New("the edit would change something else; edit the file by hand")
	}
	return nil
}
