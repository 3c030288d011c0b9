package mcpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/session"
)

// paramNames maps each method that this server supports to the params that mcp-go
// gets, besides _meta. Other methods (log levels, resource subscriptions, completion,
// tasks) are refused.
var paramNames = map[string][]string{
	string(mcp.MethodInitialize):             {"protocolVersion"}, // nothing more, since mcp-go would keep clientInfo
	string(mcp.MethodPing):                   nil,
	string(mcp.MethodServerDiscover):         nil,
	string(mcp.MethodSubscriptionsListen):    {"notifications"},
	string(mcp.MethodToolsList):              nil,
	string(mcp.MethodToolsCall):              {"name"},
	string(mcp.MethodPromptsList):            nil,
	string(mcp.MethodPromptsGet):             {"name", "arguments"},
	string(mcp.MethodResourcesList):          nil,
	string(mcp.MethodResourcesTemplatesList): nil,
	string(mcp.MethodResourcesRead):          {"uri"},
	string(mcp.MethodSetLogLevel):            nil,
	string(mcp.MethodResourcesSubscribe):     nil,
	string(mcp.MethodResourcesUnsubscribe):   nil,
	string(mcp.MethodCompletionComplete):     nil,
	string(mcp.MethodTasksGet):               nil,
	string(mcp.MethodTasksList):              nil,
	string(mcp.MethodTasksResult):            nil,
	string(mcp.MethodTasksCancel):            nil,
}

// takeParams parses the params and builds the frame, or returns what is wrong with
// them. mcp-go's own errors would repeat the params in full.
func (m *message) takeParams(s *server.MCPServer, params json.RawMessage) *refusal {
	wanted, known := paramNames[m.Method]
	if !known && m.request {
		return &refusal{mcp.METHOD_NOT_FOUND, fmt.Sprintf("this server has no method %s; accepted: tools/list, tools/call, prompts/list, prompts/get, resources/list, resources/read", quote(m.Method))}
	}
	given := map[string]json.RawMessage{}
	switch {
	case len(params) == 0 || string(params) == "null":
	case params[0] != '{':
		return m.invalid("params is %s; accepted: an object", shown(params))
	default:
		members(params, func(name []byte, value json.RawMessage) {
			if string(value) == "null" { // counts as absent
				delete(given, string(name))
				return
			}
			switch string(name) {
			case "arguments":
				m.Arguments = value
				given["arguments"] = value
			case "_meta", "cursor", "requestId", "name", "uri", "protocolVersion", "capabilities", "clientInfo", "notifications":
				given[string(name)] = value
			}
		})
	}
	m.RequestID = given["requestId"]
	if why := m.takeMeta(given["_meta"]); why != nil {
		return why
	}
	size := len(m.ID) + len(m.Method)
	around := 0 // JSON values outside the arguments
	for name, value := range given {
		if name != "arguments" || m.Method != string(mcp.MethodToolsCall) {
			size += len(value)
			around += values(value)
		}
	}
	if size > longestFrame {
		return m.invalid("the request has %d bytes outside a tool's arguments; accepted: up to %d", size, longestFrame)
	}
	if around > maxFrameValues {
		return m.invalid("the request has %d JSON values outside a tool's arguments; accepted: up to %d", around, maxFrameValues)
	}
	m.Frame = m.frame(given, wanted, size)
	if number := hugeNumber(m.Frame); number != nil {
		return m.invalid("the number %s is too large; accepted: numbers that fit into a 64-bit float", shown(number))
	}
	if !m.request {
		return nil
	}
	if cursor := given["cursor"]; len(cursor) > 0 && string(cursor) != `""` {
		return m.invalid("cursor is %s; accepted: none, since this server's lists have one page", shown(cursor))
	}
	switch m.Method {
	case string(mcp.MethodToolsCall):
		if s.GetTool(text(given["name"])) == nil {
			return m.unknown("name", given["name"], slices.Sorted(maps.Keys(s.ListTools()))...)
		}
		return nil
	case string(mcp.MethodPromptsGet):
		return m.refusePrompt(s, given)
	case string(mcp.MethodResourcesRead):
		return m.refuseResource(s, given)
	case string(mcp.MethodInitialize):
		m.Apps = announcesApps(given["capabilities"])
		return m.fits(given, &mcp.InitializeParams{})
	case string(mcp.MethodSubscriptionsListen):
		return m.fits(given, &mcp.SubscriptionsListenParams{})
	}
	return nil
}

// takeMeta checks a request's _meta.
func (m *message) takeMeta(meta json.RawMessage) *refusal {
	if len(meta) == 0 {
		return nil
	}
	if meta[0] != '{' {
		return m.invalid("params._meta is %s; accepted: an object", shown(meta))
	}
	members(meta, func(name []byte, value json.RawMessage) {
		switch string(name) {
		case mcp.MetaKeyProtocolVersion:
			m.Revision = text(value)
		case mcp.MetaKeyClientCapabilities:
			m.Apps = announcesApps(value)
		}
	})
	if !plain(m.Revision) {
		return m.invalid("_meta.%s is %s; accepted: a revision of the protocol, for instance %s", mcp.MetaKeyProtocolVersion, quote(m.Revision), mcp.LATEST_PROTOCOL_VERSION)
	}
	return nil
}

// frame returns the message with only the params that mcp-go needs.
func (m *message) frame(given map[string]json.RawMessage, wanted []string, size int) []byte {
	method, _ := json.Marshal(m.Method) // a string cannot fail
	frame := bytes.NewBuffer(make([]byte, 0, size+128))
	frame.WriteString(`{"jsonrpc":"2.0",`)
	if len(m.ID) > 0 {
		frame.WriteString(`"id":`)
		frame.Write(m.ID)
		frame.WriteByte(',')
	}
	frame.WriteString(`"method":`)
	frame.Write(method)
	frame.WriteString(`,"params":{`)
	between := ""
	for _, name := range append(wanted[:len(wanted):len(wanted)], "_meta") {
		if value, ok := given[name]; ok {
			frame.WriteString(between + `"` + name + `":`)
			frame.Write(value)
			between = ","
		}
	}
	frame.WriteString(`}}`)
	return frame.Bytes()
}

// invalid refuses a request with invalid params.
func (m *message) invalid(format string, args ...any) *refusal {
	return &refusal{mcp.INVALID_PARAMS, unquoted(m.Method) + ": " + fmt.Sprintf(format, args...)}
}

// unknown refuses a param that is not a string or names nothing on this server.
func (m *message) unknown(param string, value json.RawMessage, accepted ...string) *refusal {
	return m.invalid("%s is %s; accepted: %s", param, shown(value), strings.Join(accepted, ", "))
}

// text returns the text of a JSON string, or "" if value is not a string.
func text(value json.RawMessage) (text string) {
	if len(value) > 0 && value[0] == '"' {
		_ = json.Unmarshal(value, &text) // cannot fail, since it is valid JSON
	}
	return text
}

// refusePrompt returns the reason why a prompt request is refused, or nil.
// mcp-go would turn the prompt's own error about its arguments into an internal
// error.
func (m *message) refusePrompt(s *server.MCPServer, given map[string]json.RawMessage) *refusal {
	name := text(given["name"])
	prompts := s.ListPrompts()
	declared, ok := prompts[name]
	if !ok {
		return m.unknown("name", given["name"], slices.Sorted(maps.Keys(prompts))...)
	}
	var accepted []string
	for _, argument := range declared.Prompt.Arguments {
		accepted = append(accepted, argument.Name)
	}
	arguments := map[string]string{}
	var why *refusal
	if value := given["arguments"]; len(value) > 0 {
		if value[0] != '{' {
			return m.invalid("arguments is %s; accepted: an object of strings", shown(value))
		}
		members(value, func(argument []byte, value json.RawMessage) {
			switch {
			case !slices.Contains(accepted, string(argument)):
				why = &refusal{mcp.INVALID_PARAMS, fmt.Sprintf("%s: unknown argument %s; accepted: %s", name, quote(string(argument)), strings.Join(accepted, ", "))}
			case value[0] != '"':
				why = m.invalid("arguments.%s is %s; accepted: a string", quote(string(argument)), shown(value))
			}
			arguments[string(argument)] = text(value)
		})
		if why != nil {
			return why
		}
	}
	// Any status will do, since the accepted arguments do not depend on it.
	if _, err := promptTexts[name](session.Status{}, arguments); err != nil {
		return &refusal{mcp.INVALID_PARAMS, fmt.Sprintf("%s: %v", name, err)}
	}
	return nil
}

func (m *message) refuseResource(s *server.MCPServer, given map[string]json.RawMessage) *refusal {
	uri := text(given["uri"])
	resources := s.ListResources()
	if _, ok := resources[uri]; ok {
		return nil
	}
	// mcp-go would repeat a query that is odd or does not match.
	if _, app := resources[appURI]; app && len(uri) <= longestID && strings.HasPrefix(uri, appData+"?") && appTemplate.URITemplate.Regexp().MatchString(uri) {
		return nil
	}
	accepted := []string{"tun://status", "tun://docs/ with the name of a guide (resources/list names all)"}
	if _, handler := resources[handlerURI]; handler {
		accepted = append(accepted, handlerURI)
	}
	why := m.unknown("uri", given["uri"], accepted...)
	if uri != "" && !mcp.IsModernProtocol(m.Revision) {
		why.code = mcp.RESOURCE_NOT_FOUND // as in revisions up to 2025-11-25
	}
	return why
}

// fits decodes given into params, a pointer to an mcp-go struct, and returns an error
// for the first param with a wrong type, or nil.
func (m *message) fits(given map[string]json.RawMessage, params any) *refusal {
	text, err := json.Marshal(given)
	if err == nil {
		err = json.Unmarshal(text, params)
	}
	if err == nil {
		return nil
	}
	mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return m.invalid("the params do not fit this method")
	}
	accepted := map[reflect.Kind]string{reflect.String: "a string", reflect.Struct: "an object", reflect.Map: "an object", reflect.Slice: "an array", reflect.Bool: "true or false"}[mistyped.Type.Kind()]
	if accepted == "" {
		accepted = "a number"
	}
	return m.invalid("params.%s has the type %s; accepted: %s", unquoted(mistyped.Field), unquoted(mistyped.Value), accepted)
}
