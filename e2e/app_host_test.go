package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// appsPolicy is the policy that a host sets for a page that declares no domains
// (SEP-1865).
const appsPolicy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' data:; connect-src 'none'; frame-src 'self'"

// appHost opens a host of MCP Apps in a browser: the bridge of the official package,
// with the program as its server.
func appHost(t *testing.T, s *httpServer, query string) *browser {
	t.Helper()
	modules := os.Getenv("TUN_MCP_EXT_APPS")
	if modules == "" {
		tuntest.Unmet(t, errors.New("TUN_MCP_EXT_APPS is not set: .ci/run installs @modelcontextprotocol/ext-apps and sets it to its node_modules"))
	}
	if _, err := os.Stat(filepath.Join(modules, "@modelcontextprotocol/ext-apps/dist/src/app-bridge.js")); err != nil {
		t.Fatal(err)
	}
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	sandbox := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", appsPolicy)
		http.ServeFile(w, r, "e2e/testdata/apphost/sandbox.html")
	}))
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	mux := http.NewServeMux()
	mux.Handle("/modules/", http.StripPrefix("/modules/", scripts(modules)))
	mux.Handle("/mcp", &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = target.Host
		r.Out.Header.Del("Origin")
	}})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "e2e/testdata/apphost/host.html") })
	page := startBrowser(t)
	page.size(800, 1000, "light")
	page.do(chromedp.Navigate(serve(mux) + "/?sandbox=" + url.QueryEscape(sandbox) + query))
	page.until("window.ready === true")
	return page
}

// scripts serves a folder of modules.
func scripts(folder string) http.Handler {
	files := http.FileServer(http.Dir(folder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript") // also for .mjs
		files.ServeHTTP(w, r)
	})
}

// call starts a tool call in the host, which shows a page for it. The host keeps the
// result in variable.
func (b *browser) call(variable, tool, arguments string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		"void (window.%[1]s = null, call(%[2]q, %[3]s).then((r) => { window.%[1]s = r.content[0].text; }, (e) => { window.%[1]s = 'failed: ' + e; }))", variable, tool, arguments)))
}

// inApp evaluates an expression in the nth page of the host, from 0.
func inApp[T any](b *browser, n int, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) (none T, err error) {
		tree, err := cdp.Call(ctx, target, cdppage.GetFrameTree, cdp.Empty{})
		if err != nil {
			return none, err
		}
		if n >= len(tree.FrameTree.ChildFrames) || len(tree.FrameTree.ChildFrames[n].ChildFrames) == 0 {
			return none, fmt.Errorf("the host does not show page %d", n)
		}
		inner := tree.FrameTree.ChildFrames[n].ChildFrames[0].Frame.ID
		world, err := cdp.Call(ctx, target, cdppage.CreateIsolatedWorld, cdppage.CreateIsolatedWorldParams{FrameID: inner})
		if err != nil {
			return none, err
		}
		return chromedp.Evaluate[T](expression, func(p *runtime.EvaluateParams) { p.ContextID = world.ExecutionContextID })(ctx, target)
	})
}

// appUntil waits until an expression is true in a page of the host.
func (b *browser) appUntil(n int, expression string) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		ok, err := inApp[bool](b, n, expression)
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			text, _ := inApp[string](b, n, "document.body.innerText")
			b.t.Fatalf("page %d: %s never became true: %v; the page shows\n%s\n%q", n, expression, err, text, b.bad)
		}
	}
}

// awaited makes an evaluation wait for a promise.
func awaited(p *runtime.EvaluateParams) { yes := true; p.AwaitPromise = &yes }

// appDo runs a statement in a page of the host.
func (b *browser) appDo(n int, statement string) {
	b.t.Helper()
	if _, err := inApp[chromedp.Void](b, n, "void "+statement); err != nil {
		b.t.Fatalf("page %d: %s: %v", n, statement, err)
	}
}
