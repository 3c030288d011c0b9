package plan

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkKeys returns an error for the first key in node that the struct that into
// points to does not have.
func checkKeys(node *yaml.Node, into any) error { return checkType(node, reflect.TypeOf(into).Elem()) }

func checkType(node *yaml.Node, t reflect.Type) error {
	switch {
	case node.Kind == yaml.DocumentNode:
		return checkType(node.Content[0], t)
	case node.Kind == yaml.AliasNode:
		return fmt.Errorf("line %d: YAML aliases are not accepted; write the value out", node.Line)
	case t.Kind() == reflect.Slice && node.Kind == yaml.SequenceNode:
		for _, element := range node.Content {
			if err := checkType(element, t.Elem()); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Slice:
		return fmt.Errorf("line %d: a list is expected here: [a, b], or a line starting with a hyphen for each", node.Line)
	case t.Kind() == reflect.Struct && node.Kind != yaml.MappingNode:
		return fmt.Errorf("line %d: keys with values are expected here; the keys are %s", node.Line, strings.Join(keysOf(t), ", "))
	case t.Kind() == reflect.Struct:
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			field, ok := fieldOf(t, key.Value)
			if !ok {
				return fmt.Errorf("line %d: unknown key %q; the keys here are %s", key.Line, key.Value, strings.Join(keysOf(t), ", "))
			}
			if err := checkType(node.Content[i+1], field); err != nil {
				return err
			}
		}
	}
	return nil
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for field := range t.Fields() {
		if key := field.Tag.Get("yaml"); key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for field := range t.Fields() {
		if field.Tag.Get("yaml") == key && key != "-" {
			return field.Type, true
		}
	}
	return nil, false
}

// find returns the value at a path of keys, or the nearest node above it.
func find(node *yaml.Node, path ...string) *yaml.Node {
	if node.Kind == yaml.DocumentNode {
		node = node.Content[0]
	}
	if len(path) == 0 || node.Kind != yaml.MappingNode {
		return node
	}
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].Value == path[0] {
			return find(node.Content[i+1], path[1:]...)
		}
	}
	return node
}

// at returns a function that makes errors about the value at a path of keys. They
// name its line and path.
func at(node *yaml.Node, path ...string) func(format string, args ...any) error {
	line := find(node, path...).Line
	return func(format string, args ...any) error {
		return fmt.Errorf("line %d: %s: %s", line, strings.Join(path, "."), fmt.Sprintf(format, args...))
	}
}
