package e2e

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

var picturesTo = flag.String("pictures", "", "write screenshots of the live page into this folder, to look at")

// browser is a page in headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu  sync.Mutex // guards bad
	bad []string   // exceptions and errors in the page's console
}

// startBrowser starts Chromium with a fresh profile and without a network of its own.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	tuntest.RequireProgram(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", "Translate,IsolateSandboxedIframes"), // pages in frames stay in this target
		chromedp.Flag("disable-sync", true), chromedp.NoFirstRun, chromedp.WindowSize(1280, 800))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancelPage := chromedp.NewContext(allocator)
	t.Cleanup(cancelPage)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the browser lives as long as this context
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	return b
}

// listen records errors of the page.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.bad = append(b.bad, fmt.Sprintf("%+v", *e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.bad = append(b.bad, fmt.Sprint(e.Args))
		}
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 4*patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// until waits until a JavaScript expression is true.
func (b *browser) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && ok { // an evaluation fails while the page loads the next
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
			b.t.Fatalf("%s never became true: %v; the page shows\n%s\n%q", expression, err, text, b.bad)
		}
	}
}

// value evaluates a JavaScript expression.
func value[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 4*patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// size sets the size of the window and the colour scheme.
func (b *browser) size(width, height int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// picture saves a screenshot, if pictures are wanted.
func (b *browser) picture(name string) {
	b.t.Helper()
	if *picturesTo == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*picturesTo, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// quiet checks that the page had no error.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.bad) > 0 {
		b.t.Errorf("on the page's console:\n%s", strings.Join(b.bad, "\n"))
	}
}

var watchAt = regexp.MustCompile(`^watch at (http://\S+)`)

// startWeb starts `tun-mcp watch --web` and returns the address that it prints.
func startWeb(t *testing.T, b *builtin, args ...string) string {
	t.Helper()
	web := b.command(append([]string{"watch", "--web"}, args...)...)
	out, err := web.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	web.Stderr = os.Stderr
	if err := web.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Process.Kill(); _ = web.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	m := watchAt.FindStringSubmatch(line)
	if err != nil || m == nil {
		t.Fatalf("the watch printed %q, %v", line, err)
	}
	return m[1]
}

// shownWithin fails the test if show takes longer than limit. Show is called with 0, 1, 2...
// until it is fast enough, five times at most, because the machine may be busy.
func shownWithin(t *testing.T, limit time.Duration, show func(n int)) {
	t.Helper()
	var took []time.Duration
	for n := range 5 {
		began := time.Now()
		show(n)
		took = append(took, time.Since(began))
		if took[n] <= limit {
			return
		}
	}
	t.Errorf("it was shown after %v, want one of them within %v", took, limit)
}

// rows returns an expression that counts the ladder's rows that match a selector.
func rows(selector string) string {
	return fmt.Sprintf("document.querySelectorAll(%q).length", "#rows "+selector)
}

// A ping is on the ladder within a second, and a click shows its content.
func TestPage(t *testing.T) {
	b := startBuiltin(t, "-q", "--network", "memory", "--session", "page")
	url := startWeb(t, b)
	page := startBrowser(t)
	page.size(1280, 800, "light")
	page.do(chromedp.Navigate(url))
	page.until("document.getElementById('doing-what')?.textContent === 'reading'")
	if got := value[string](page, "location.search + location.hash"); strings.Contains(got, "token") {
		t.Errorf("the token stays in the address: %q", got)
	}

	ping := func(n int) {
		t.Helper()
		if out, err := b.command("ping", "-c", "1").CombinedOutput(); err != nil {
			t.Fatalf("ping: %v\n%s", err, out)
		}
		page.until(fmt.Sprintf("%s === %d && %s === %[2]d", rows("li.to-agent"), n, rows("li.to-peer")))
	}
	ping(1)
	page.until(rows(".tie") + " === 1")

	page.do(chromedp.Click("#rows li.to-peer"))
	page.until("document.getElementById('details-dump').textContent.includes('ICMP checksum')")
	details := value[string](page, "document.getElementById('details').innerText")
	for _, want := range []string{"#2 IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply", "from agent to peer", "84 bytes", "answers #1", "0a4d 0002", "identifier", "sequence number"} {
		if !strings.Contains(details, want) {
			t.Errorf("%q is not in the details\n%s", want, details)
		}
	}
	if got := value[string](page, "location.hash"); got != "#/2" {
		t.Errorf("the address has %q, want #/2", got)
	}
	page.do(chromedp.Click("#details-links a"))
	page.until("document.getElementById('details-title').textContent.startsWith('#1 ')")

	page.do(chromedp.Click("#ping"))
	page.until(rows("li.to-peer") + " === 2")
	for _, look := range []struct {
		name          string
		width, height int64
	}{{"wide", 1280, 800}, {"narrow", 400, 800}} {
		for _, scheme := range []string{"light", "dark"} {
			page.size(look.width, look.height, scheme)
			page.picture(look.name + "-" + scheme)
			page.do(chromedp.Evaluate[chromedp.Void]("void document.getElementById('rows').scrollIntoView()"))
			page.picture(look.name + "-ladder-" + scheme)
			if wide := value[bool](page, "document.documentElement.scrollWidth > innerWidth"); wide {
				t.Errorf("%s, %s: the page is wider than the window", look.name, scheme)
			}
		}
	}
	page.size(1280, 800, "light")

	// With the keyboard alone: choose, open, close, pause, find.
	key := func(key string) {
		page.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void document.getElementById('rows').dispatchEvent(new KeyboardEvent('keydown', {key: %q, bubbles: true}))", key)))
	}
	key("Escape")
	page.until("document.getElementById('details').hidden && location.hash === ''")
	key("ArrowDown")
	key("ArrowUp")
	chosen := value[string](page, "document.querySelector('#rows [aria-selected=true]').id")
	if active := value[string](page, "document.getElementById('rows').getAttribute('aria-activedescendant')"); active != chosen {
		t.Errorf("%q is chosen, %q is active", chosen, active)
	}
	key(" ")
	if pressed := value[string](page, "document.getElementById('pause').getAttribute('aria-pressed')"); pressed != "true" {
		t.Errorf("paused: %s", pressed)
	}
	before := value[int](page, rows("li"))
	key("p")
	page.until("document.querySelector('[data-figure=written]').textContent === '3'")
	if now := value[int](page, rows("li")); now != before {
		t.Errorf("%d rows while paused, before %d", now, before)
	}
	key(" ")
	page.until(rows("li.to-peer") + " === 3")
	page.do(chromedp.Evaluate[chromedp.Void]("void (document.getElementById('number').value = '#3', document.getElementById('find').requestSubmit())"))
	page.until("location.hash === '#/3' && document.getElementById('details-title').textContent.startsWith('#3 ')")

	// A link to a packet, with the cookie that this browser has now.
	base, _, _ := strings.Cut(url, "?")
	page.do(chromedp.Navigate("about:blank"), chromedp.Navigate(base+"?session=page#/2"))
	page.until("document.getElementById('details-title')?.textContent.startsWith('#2 ')")

	page.until(rows("li.to-peer") + " === 3")
	shownWithin(t, time.Second, func(n int) { ping(4 + n) })

	// The session ends while it is watched. The page keeps what it has shown.
	b.interrupt()
	page.until("document.getElementById('doing-what').textContent === 'ended'")
	page.do(chromedp.Evaluate[chromedp.Void]("void (location.hash = '#/1')"))
	page.until("document.getElementById('details-title').textContent.startsWith('#1 ')")
	page.quiet()
}

// A browser without the token sees nothing.
func TestPageWithoutTheToken(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory")
	url := startWeb(t, b)
	base, _, _ := strings.Cut(url, "?")
	for _, address := range []string{base, base + "?token=wrong", base + "page.js", base + "live"} {
		response, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "token") {
			t.Errorf("%s: %d %s", strings.TrimPrefix(address, base), response.StatusCode, text)
		}
	}
	port := regexp.MustCompile(`:\d+`).FindString(base)
	if out, err := b.command("watch", "--web=127.0.0.1"+port).CombinedOutput(); err == nil || !strings.Contains(string(out), "a free port") {
		t.Errorf("a port in use: %v\n%s", err, out)
	}
	if out, err := b.command("watch", "--web", "0.0.0.0:0").CombinedOutput(); err == nil || !strings.Contains(string(out), "other machines can reach this address") {
		t.Errorf("an address beyond loopback: %v\n%s", err, out)
	}
}

// The server itself serves the page, and prints its address on stderr.
func TestServeWatch(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory", "--watch", "--session", "beside")
	var at []string
	until(t, "the server to tell the page's address", func() bool {
		at = regexp.MustCompile(`watch at (http://127\.0\.0\.1:\d+/\?token=\w+&session=beside)`).FindStringSubmatch(c.errors())
		return at != nil
	})
	page := startBrowser(t)
	page.do(chromedp.Navigate(at[1]))
	page.until("document.getElementById('doing-what')?.textContent === 'waiting for an agent' && document.getElementById('session').value === 'beside'")
	page.quiet()
}
