package mcpserver

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// same fails the test if encode differs from json.Marshal.
func same(t *testing.T, message any) {
	t.Helper()
	want, wrong := json.Marshal(message)
	if got, err := encode(message); string(got) != string(want)+"\n" || (err != nil) != (wrong != nil) {
		t.Errorf("encoded as\n%s(%v), want\n%s(%v)", got, err, want, wrong)
	}
}

func TestEncodeText(t *testing.T) {
	every := ""
	for c := rune(0); c < 0x3000; c++ {
		every += string(c)
	}
	texts := []string{"", "plain", every, "#1 84 bytes, waited 0.3 s\n0: 4500 \"x\" – é", "\u2027\u2028\u2029\u202a", "\xff", "a\xe2", "\xe2\x80", "<&>", "😀"}
	for _, id := range []any{int64(1), 1.5, "a\"b", int64(1) << 52, nil} {
		for _, text := range texts {
			for _, result := range []*mcp.CallToolResult{mcp.NewToolResultText(text), mcp.NewToolResultError(text)} {
				message := mcp.JSONRPCResponse{JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId(id), Result: result}
				same(t, message)
				result.ResultType = mcp.ResultTypeComplete
				same(t, message)
				if strings.HasPrefix(text, "plain") && encodeText(message) == nil {
					t.Error("a text is not encoded directly")
				}
			}
		}
	}
	same(t, mcp.JSONRPCResponse{JSONRPC: mcp.JSONRPC_VERSION, Result: (*mcp.CallToolResult)(nil)})
	same(t, mcp.JSONRPCNotification{JSONRPC: mcp.JSONRPC_VERSION})
}

// TestEncodeOther sets every field that a result and a text of mcp-go have, one at a
// time: those of a later version as well.
func TestEncodeOther(t *testing.T) {
	for _, of := range []reflect.Type{reflect.TypeFor[mcp.CallToolResult](), reflect.TypeFor[mcp.TextContent]()} {
		for _, field := range reflect.VisibleFields(of) {
			if field.Anonymous {
				continue
			}
			result, content := mcp.NewToolResultText("x"), mcp.NewTextContent("x")
			target := reflect.ValueOf(result).Elem()
			if of == reflect.TypeFor[mcp.TextContent]() {
				target = reflect.ValueOf(&content).Elem()
			}
			setField(t, field.Name, target.FieldByIndex(field.Index))
			if of == reflect.TypeFor[mcp.TextContent]() {
				result.Content = []mcp.Content{content}
			}
			same(t, mcp.JSONRPCResponse{JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId("x"), Result: result})
		}
	}
}

func setField(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("<set>")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("set"), reflect.Zero(v.Type().Elem()))
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"set": 1}))
	case reflect.Slice:
		switch v.Type() {
		case reflect.TypeFor[json.RawMessage]():
			v.SetBytes([]byte(`{"set":1}`))
		case reflect.TypeFor[[]mcp.Content]():
			v.Set(reflect.ValueOf([]mcp.Content{mcp.NewTextContent("1"), mcp.NewTextContent("2")}))
		default:
			t.Errorf("%s: a field of an unknown type %s: teach this test and encodeText", name, v.Type())
		}
	default:
		t.Errorf("%s: a field of an unknown type %s: teach this test and encodeText", name, v.Type())
	}
}
