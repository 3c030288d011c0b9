package mcpserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// badPrompts are requests for prompts whose arguments are none, and what is said
// to them.
var badPrompts = map[string]string{
	`{"name":"answer-pings","arguments":{"count":"many"}}`: `answer-pings: count is "many"; accepted: a whole number from 1, for instance 20`,
	`{"name":"answer-pings","arguments":{"count":"0"}}`:    `answer-pings: count is "0"; accepted: a whole number from 1, for instance 20`,
	`{"name":"play-host","arguments":{"guides":"udp"}}`:    `play-host: guides is "udp"; accepted: tcp, ip6 or all, or nothing`,
	// Quoted, in ASCII, and 40 bytes of it at most.
	`{"name":"play-host","arguments":{"guides":"caf\u00e9\u001b[31m` + strings.Repeat("x", 1000) + `"}}`: `play-host: guides is "caf\u00e9\x1b[31m` + strings.Repeat("x", 30) + `..."; accepted: tcp, ip6 or all, or nothing`,
}

// A prompt's argument that is none is an invalid parameter, in words.
func TestPromptArguments(t *testing.T) {
	for params, want := range badPrompts {
		m, why := parseMessage([]byte(`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":` + params + `}`))
		if why == nil || why.code != -32602 || why.why != want || string(m.ID) != "1" {
			t.Errorf("%s: id %s, %+v, want -32602 %s", params, m.ID, why, want)
		}
	}
	for _, params := range []string{`{"name":"answer-pings"}`, `{"name":"answer-pings","arguments":{"count":"20"}}`, `{"name":"play-host","arguments":{"guides":"all"}}`, `{"name":"other"}`, `[]`} {
		if _, why := parseMessage([]byte(`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":` + params + `}`)); why != nil {
			t.Errorf("%s: %+v", params, why)
		}
	}
}

// Over HTTP that is an error with the status of its revision.
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
