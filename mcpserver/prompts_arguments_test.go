package mcpserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// badPrompts maps requests for prompts with wrong arguments to the expected errors.
var badPrompts = map[string]string{
	`{"name":"answer-pings","arguments":{"count":"many"}}`:        `answer-pings: count is "many"; accepted: a whole number from 1, for instance 20`,
	`{"name":"answer-pings","arguments":{"count":"0"}}`:           `answer-pings: count is "0"; accepted: a whole number from 1, for instance 20`,
	`{"name":"play-host","arguments":{"guides":"udp"}}`:           `play-host: guides is "udp"; accepted: tcp, ip6 or all, or nothing`,
	`{"name":"answer-pings","arguments":{"cuont":"3"}}`:           `answer-pings: unknown argument "cuont"; accepted: count`,
	`{"name":"answer-pings","arguments":{"count":"3","Count":5}}`: `answer-pings: unknown argument "Count"; accepted: count`,
	`{"name":"play-host","arguments":{"guides":3}}`:               `prompts/get: arguments."guides" is 3; accepted: a string`,
	// Without a handler, there is no prompt about it.
	`{"name":"write-handler"}`: `prompts/get: name is "write-handler"; accepted: answer-pings, play-host`,
	`{"name":"nope"}`:          `prompts/get: name is "nope"; accepted: answer-pings, play-host`,
	// Quoted in ASCII, up to 40 bytes.
	`{"name":"play-host","arguments":{"guides":"caf\u00e9\u001b[31m` + strings.Repeat("x", 1000) + `"}}`: `play-host: guides is "caf\u00e9\x1b[31m` + strings.Repeat("x", 30) + `..."; accepted: tcp, ip6 or all, or nothing`,
}

// A wrong argument of a prompt is an invalid parameter, explained in words.
func TestPromptArguments(t *testing.T) {
	server, _ := onLink(t)
	for params, want := range badPrompts {
		m, why := parseMessage(server, []byte(`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":`+params+`}`))
		if why == nil || why.code != -32602 || why.text != want || string(m.ID) != "1" {
			t.Errorf("%s: id %s, %+v, want -32602 %s", params, m.ID, why, want)
		}
	}
	for _, params := range []string{`{"name":"answer-pings"}`, `{"name":"answer-pings","arguments":{"count":"20"}}`, `{"name":"play-host","arguments":{"guides":"all"}}`} {
		if _, why := parseMessage(server, []byte(`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":`+params+`}`)); why != nil {
			t.Errorf("%s: %+v", params, why)
		}
	}
}

// Over HTTP the status depends on the revision.
func TestPromptArgumentsOverHTTP(t *testing.T) {
	s := serveTest(t)
	for era, status := range map[string]int{legacyEra: http.StatusOK, modernEra: http.StatusBadRequest} {
		p := s.client(era)
		for params, want := range badPrompts {
			w := p.post(t.Context(), fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":%s}`, params))
			var answer struct {
				ID    int
				Error struct {
					Code    int
					Message string
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != status || answer.ID != 1 || answer.Error.Code != -32602 || answer.Error.Message != want {
				t.Errorf("%s %s: %d %s, %v", era, params, w.Code, w.Body, err)
			}
		}
	}
}
