package mcpserver

import (
	"strings"
	"testing"
)

// An initialize that is refused, or needs no answer, does not change what the client
// has announced on stdio.
func TestRefusedInitializeOnStdio(t *testing.T) {
	server, _ := onLink(t)
	const apps = `{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`
	for _, announced := range []bool{false, true} {
		meta := strings.Replace(metaOf2026, `Capabilities":{}`, `Capabilities":`+apps, 1)
		for _, line := range []string{
			`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":` + apps + `,` + meta + `}}`,
			`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{` + metaOf2026 + `}}`,
			`{"jsonrpc":"2.0","method":"initialize","params":{}}`,
		} {
			var answer strings.Builder
			c := &stdioClient{server: server, writing: make(chan struct{}, 1), out: &answer}
			c.apps.Store(announced)
			m, why := parseMessage(server, []byte(line))
			if why != nil {
				t.Fatal(why)
			}
			if c.handle(t.Context(), m, func() {}); c.apps.Load() != announced {
				t.Errorf("%s: announced %v, then %v: %s", line, announced, !announced, answer.String())
			}
		}
	}
}
