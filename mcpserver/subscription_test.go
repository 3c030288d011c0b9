package mcpserver

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// subscribe is a request for notifications that this server never sends, so it is
// answered at once.
func subscribe(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"subscriptions/listen","params":{%s,"notifications":{"toolsListChanged":true}}}`, id, metaOf2026)
}

// The first message after subscriptions/listen is the acknowledgement, on every
// transport, however busy the machine is (revision 2026-07-28).
func TestAcknowledgedFirstOverHTTP(t *testing.T) {
	p := serveTest(t).client(modernEra)
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			for i := range 500 {
				w := p.post(t.Context(), subscribe(1000*c+i))
				body := w.Body.String()
				acknowledged, answer := strings.Index(body, "notifications/subscriptions/acknowledged"), strings.Index(body, `"result"`)
				if w.Code != http.StatusOK || acknowledged < 0 || answer < acknowledged {
					t.Errorf("%d: status %d, %s", i, w.Code, body)
					return
				}
			}
		})
	}
	clients.Wait()
}

func TestAcknowledgedFirstOnStdio(t *testing.T) {
	server, _ := onLink(t)
	in, requests := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- ServeStdio(t.Context(), server, in, out) }()
	const count = 4000
	inProgress := make(chan struct{}, maxRequests/2) // the server refuses more than maxRequests
	go func() {
		for i := range count {
			inProgress <- struct{}{}
			fmt.Fprintln(requests, subscribe(i))
		}
	}()
	acknowledged := map[string]bool{}
	lines := bufio.NewScanner(answers)
	for range 2 * count {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		_, rest, ok := strings.Cut(lines.Text(), `"io.modelcontextprotocol/subscriptionId":`)
		if !ok {
			t.Fatalf("neither an acknowledgement nor an answer: %s", lines.Text())
		}
		id := rest[:strings.IndexAny(rest, ",}")]
		if strings.Contains(lines.Text(), `"method"`) {
			acknowledged[id] = true
			continue
		}
		if !acknowledged[id] {
			t.Fatalf("the answer to %s came before its acknowledgement", id)
		}
		<-inProgress
	}
	requests.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
