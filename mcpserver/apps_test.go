package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

// testApp answers with the query.
type testApp struct{}

func (testApp) HTML() string { return "<!doctype html><title>a page</title>" }
func (testApp) Read(_ context.Context, query url.Values) (string, error) {
	return fmt.Sprintf("%q", query.Encode()), nil
}

// Over HTTP, only a client that announces MCP Apps sees which tools have a page, and
// reads the page and its data.
func TestAppsOverHTTP(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		status := func() session.Status { return session.Status{} }
		host := &tools.Host{Assist: tools.AssistFix, Status: status}
		server, err := New(Config{Version: "test", Tools: host.All(), Status: status, App: testApp{}})
		if err != nil {
			t.Fatal(err)
		}
		calls, stop := newOpenCalls()
		defer stop(nil)
		s := &served{Handler: (&HTTP{loopback: true}).handler(server, calls), t: t, calls: calls, server: server}
		for capabilities, shows := range map[string]bool{
			`{}`: false,
			`{"extensions":{"io.modelcontextprotocol/ui":{}}}`:                                                                                     false,
			`{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html"]}}}`:                                                            false,
			`{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`:                                            true,
			`{"extensions":{"example/other":{"a":[1]},"io.modelcontextprotocol/ui":{"mimeTypes":["other","text/html;profile=mcp-app"],"more":1}}}`: true,
		} {
			p := &peer{served: s, era: era}
			hello := p.post(t.Context(), strings.Replace(initialize, `"capabilities":{}`, `"capabilities":`+capabilities, 1))
			if era == legacyEra {
				if p.session = hello.Header().Get(mcp.HeaderSessionID); p.session == "" {
					t.Fatal(hello.Body)
				}
			}
			ask := func(method, params string) string {
				if era == modernEra {
					params += fmt.Sprintf(`,"_meta":{"io.modelcontextprotocol/protocolVersion":%q,"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":%s}`, modernEra, capabilities)
				}
				w := p.post(t.Context(), fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s}}`, method, strings.TrimPrefix(params, ",")))
				return w.Body.String()
			}
			if era == modernEra {
				hello = p.post(t.Context(), fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":%q,"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":%s}}}`, modernEra, capabilities))
			}
			if got := strings.Contains(hello.Body.String(), appsExtension); got != shows {
				t.Errorf("%s: the server announces the extension: %v, want %v\n%s", capabilities, got, shows, hello.Body)
			}
			want := 0
			if shows {
				want = 2
			}
			list := ask("tools/list", "")
			if got := strings.Count(list, `"anthropic/alwaysLoad":true`); got < 3 {
				t.Errorf("%s: only %d tools keep their other metadata\n%s", capabilities, got, list)
			}
			if got := strings.Count(list, `"ui":{"resourceUri":"ui://tun/ladder"}`); got != want {
				t.Errorf("%s: %d tools have a page, want %d\n%s", capabilities, got, want, list)
			}
			for _, method := range []string{"resources/list", "resources/templates/list"} {
				if list := ask(method, ""); strings.Contains(list, "ladder") {
					t.Errorf("%s: %s", method, list)
				}
			}
			for uri, want := range map[string]string{
				appURI:                              `"mimeType":"text/html;profile=mcp-app"`,
				appData + "?page=1&after=a.2":       `"text":"\"after=a.2\u0026page=1\""`,
				appData + "?number=7&other=%3Cb%3E": `"mimeType":"application/json"`,
			} {
				if !shows {
					want = `"message":"this resource is for clients that announce io.modelcontextprotocol/ui"`
				}
				if got := ask("resources/read", fmt.Sprintf(`,"uri":%q`, uri)); !strings.Contains(got, want) {
					t.Errorf("%s: %s, want %s", uri, got, want)
				}
			}
		}
	})
}

// A query that is not one, or is too long, is refused in short, even if the header of
// revision 2026-07-28 differs from it.
func TestStrangersQuery(t *testing.T) {
	status := func() session.Status { return session.Status{} }
	server, err := New(Config{Version: "test", Status: status, App: testApp{}})
	if err != nil {
		t.Fatal(err)
	}
	calls, stop := newOpenCalls()
	defer stop(nil)
	s := &served{Handler: (&HTTP{loopback: true}).handler(server, calls), t: t, calls: calls, server: server}
	for _, query := range []string{strings.Repeat("STRANGER", 1000), "caf\u00e9", "%zz", `\u007f`, " ", `\u202e`, `a=1\n`} {
		body := `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"` + appData + "?" + query + `",` + metaOf2026 + `}}`
		for _, header := range []string{appData + "?page=1", appURI} {
			r := request("", body)
			r.Header.Set(mcp.HeaderProtocolVersion, modernEra)
			r.Header.Set(mcp.HeaderMethod, "resources/read")
			r.Header.Set(mcp.HeaderName, header)
			checkWords(t, query, answerTo(s, r).Body.Bytes(), "resources/read: uri is ")
		}
		answer, err := json.Marshal(Handle(t.Context(), server, []byte(strings.Replace(body, ","+metaOf2026, "", 1))))
		if err != nil {
			t.Fatal(err)
		}
		checkWords(t, query, answer, "resources/read: uri is ")
	}
}
