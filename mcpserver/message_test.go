package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// member is a member of an object, as members found it.
type member struct{ name, value string }

func found(object string) (all []member) {
	members([]byte(object), func(name []byte, value json.RawMessage) {
		all = append(all, member{string(name), string(value)})
	})
	return all
}

func TestMembers(t *testing.T) {
	for object, want := range map[string][]member{
		`{}`:                                    nil,
		" { \n} ":                               nil,
		`{"a":1}`:                               {{"a", "1"}},
		`{"a":1,"b":"x"}`:                       {{"a", "1"}, {"b", `"x"`}},
		` { "a" : [1, {"b":2}] , "c" : null } `: {{"a", `[1, {"b":2}]`}, {"c", "null"}},
		`{"a\u0062":{"]}":"\\\"}"},"a":{"a":[[],{}]}}`: {{"ab", `{"]}":"\\\"}"}`}, {"a", `{"a":[[],{}]}`}},
		`{"":-1e5,"":true}`:                            {{"", "-1e5"}, {"", "true"}},
	} {
		if got := found(object); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", object, got, want)
		}
	}
}

func TestValuesAndHugeNumbers(t *testing.T) {
	for text, want := range map[string]int{`1`: 1, `"[,{"`: 1, `{"a":1}`: 2, `[1,2,3]`: 4, `{"a":[{},{}],"b":"\",,"}`: 6 + 1} {
		if got := values([]byte(text)); got < want-1 || got > want+2 {
			t.Errorf("%s: %d values, want about %d", text, got, want)
		}
	}
	long := strings.Repeat("9", 400)
	for text, want := range map[string]string{`[1,-2.5e3,"1e400"]`: "", `{"a":[1e400]}`: "1e400", `-1E999`: "-1E999", "[" + long + "]": long, `1e-999`: ""} {
		if got := string(hugeNumber([]byte(text))); got != want {
			t.Errorf("%.20s: %q, want %q", text, got, want)
		}
	}
}

// FuzzMembers: for any object, members finds the same as encoding/json.
func FuzzMembers(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":1}`, `{"a\n":{"b":[1,"]"]},"c":"\\"}`, ` {"x" : -1.5e+7 ,"y":[ ]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		text = bytes.TrimSpace(text)
		var want map[string]json.RawMessage
		if len(text) == 0 || text[0] != '{' || json.Unmarshal(text, &want) != nil || !utf8.Valid(text) {
			return
		}
		got := map[string]json.RawMessage{}
		members(text, func(name []byte, value json.RawMessage) { got[string(name)] = value })
		if len(got) != len(want) {
			t.Fatalf("%q: %d members, want %d", text, len(got), len(want))
		}
		for name, value := range want {
			if !bytes.Equal(got[name], value) {
				t.Errorf("%q: %q is %q, want %q", text, name, got[name], value)
			}
		}
		if n := values(text); n < len(want) {
			t.Errorf("%q: %d values", text, n)
		}
		_ = hugeNumber(text)
	})
}

const metaOf2026 = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// strange maps requests to a text that the answer must have. They contain a stranger's
// text, %s, or a number, in every place where a method takes one.
var strange = map[string]string{
	`"method":"%s"`: "this server has no method ",
	`"method":"resources/read","params":{"uri":"%s"}`:                                                         "resources/read: uri is ",
	`"method":"resources/read","params":{"uri":"tun://docs/%s"}`:                                              "accepted: tun://status",
	`"method":"resources/read","params":{"uri":[]}`:                                                           "uri is []; accepted",
	`"method":"resources/read","params":{}`:                                                                   "uri is missing; accepted",
	`"method":"prompts/get","params":{"name":"%s"}`:                                                           "accepted: answer-pings, play-host",
	`"method":"prompts/get","params":{"name":"play-host","arguments":{"guides":"%s"}}`:                        "guides is ",
	`"method":"prompts/get","params":{"name":"play-host","arguments":{"%s":1}}`:                               "accepted: guides",
	`"method":"prompts/get","params":{"name":"play-host","arguments":"%s"}`:                                   "accepted: an object",
	`"method":"tools/call","params":{"name":"%s","arguments":{}}`:                                             "accepted: hexdump, read_packet, write_packet",
	`"method":"tools/call","params":{"name":1e400}`:                                                           "1e400",
	`"method":"tools/call","params":{"name":"read_packet","_meta":{"x":1e400}}`:                               "the number 1e400 is too large",
	`"method":"tools/list","params":{"_meta":{"x":1%[2]s}}`:                                                   "is too large",
	`"method":"tools/list","params":{"_meta":{"progressToken":-1e400}}`:                                       "the number -1e400 is too large",
	`"method":"tools/list","params":"%s"`:                                                                     "params is ",
	`"method":"tools/list","params":1%[2]s`:                                                                   "accepted: an object",
	`"method":"tools/list","params":{"_meta":"%s"}`:                                                           "params._meta is ",
	`"method":"tools/list","params":{"cursor":"%s"}`:                                                          "cursor is ",
	`"method":"prompts/list","params":{"cursor":1%[2]s}`:                                                      "cursor is ",
	`"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"x%s"}}`:              "",
	`"method":"initialize","params":{"protocolVersion":["%s"],"capabilities":{},"clientInfo":{}}`:             "protocolVersion has the type array; accepted: a string",
	`"method":"initialize","params":{"protocolVersion":"1","capabilities":"%s","clientInfo":{}}`:              "accepted: an object",
	`"method":"initialize","params":{"protocolVersion":"1","capabilities":{},"clientInfo":{"name":1%[2]s}}`:   "",
	`"method":"subscriptions/listen","params":{` + metaOf2026 + `,"notifications":{"toolsListChanged":"%s"}}`: "accepted: true or false",
	`"jsonrpc":"%s","method":"ping"`:                                                                          "jsonrpc is ",
	`"jsonrpc":1%[2]s,"method":"ping"`:                                                                        "jsonrpc is ",
}

// An error says in our own words what came and what is accepted. It quotes a stranger's
// text in short and in ASCII.
func TestStrangersWords(t *testing.T) {
	texts := []string{
		`\u001b[31m\u202eSTRANGER` + strings.Repeat("x", 1<<10),
		"\u202e\u2066caf\u00e9STRANGER" + strings.Repeat("y", 1<<10),
		strings.Repeat("STRANGER ", 1<<17), // 1 MB
		"STRANGER",
	}
	s := serveTest(t)
	for template, want := range strange {
		for _, text := range texts {
			body := `{"jsonrpc":"2.0","id":1,` + fmt.Sprintf(strings.ReplaceAll(template, "%s", "%[1]s")+"%.0[1]s%.0[2]s", text, strings.Repeat("0", 400)) + `}`
			for _, era := range []string{legacyEra, modernEra} {
				w := s.client(era).post(t.Context(), body)
				checkWords(t, era+" "+template, w.Body.Bytes(), want)
				if w.Code >= http.StatusInternalServerError {
					t.Errorf("%s: %d", template, w.Code)
				}
			}
			answer, err := json.Marshal(Handle(t.Context(), s.server, []byte(body)))
			if err != nil {
				t.Fatal(err)
			}
			checkWords(t, "stdio "+template, answer, want)
		}
	}
}

func checkWords(t *testing.T, name string, answer []byte, want string) {
	t.Helper()
	var said struct {
		Error struct{ Message string }
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.Error.Message == "" {
		t.Errorf("%s: no error: %.300s", name, answer)
	}
	// A text that is too long for any place is refused before it is parsed.
	if text := said.Error.Message; !strings.Contains(text, want) && !strings.Contains(text, "outside a tool's arguments; accepted: up to") {
		t.Errorf("%s: %.300q, want %q", name, text, want)
	}
	if len(answer) > 600 {
		t.Errorf("%s: the answer has %d bytes", name, len(answer))
	}
	for _, c := range said.Error.Message {
		if c < ' ' || c > '~' {
			t.Errorf("%s: the answer has %q in it: %.300q", name, c, said.Error.Message)
			break
		}
	}
}

// Headers that mcp-go would repeat are also quoted in short.
func TestStrangersHeaders(t *testing.T) {
	s := serveTest(t)
	for _, name := range []string{mcp.HeaderProtocolVersion, mcp.HeaderMethod, mcp.HeaderName} {
		for _, value := range []string{strings.Repeat("x", 60000), "caf\u00e9\u202e", "=?base64?Y2Fmw6k=?="} {
			r := request(s.client(legacyEra).session, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
			r.Header.Set(name, value)
			w := answerTo(s, r)
			if w.Code != http.StatusBadRequest || w.Body.Len() > 200 || !strings.Contains(w.Body.String(), "accepted: up to 256 printable ASCII characters") || strings.ContainsFunc(w.Body.String(), func(c rune) bool { return c > '~' }) {
				t.Errorf("%s: %d %.200q", name, w.Code, w.Body)
			}
		}
	}
}

// An answer never gets an answer, even if it has an error or an id that would be
// refused.
func TestAnswersAreNeverAnswered(t *testing.T) {
	answers := []string{
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":null}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no JSON"}}`,
		`{"jsonrpc":"2.0","id":{},"error":{}}`,
		`{"id":1e400,"error":{},"method":null}`,
		`{"jsonrpc":"2.0","error":{}}`,
		`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 1000) + `","result":{}}`,
	}
	s := serveTest(t)
	for _, answer := range answers {
		m, _ := parseMessage(s.server, []byte(answer))
		if !m.answer {
			t.Errorf("%.80s is not recognized as an answer", answer)
		}
		for _, era := range []string{legacyEra, modernEra} {
			if w := s.client(era).post(t.Context(), answer); w.Code != http.StatusAccepted || w.Body.Len() > 0 {
				t.Errorf("%s: %.80s is answered: %d %s", era, answer, w.Code, w.Body)
			}
		}
	}
}
