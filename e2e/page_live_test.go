package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// openPage opens the live page of a server's session in a browser.
func openPage(t *testing.T, runtime string) *browser {
	t.Helper()
	url := startWeb(t, &builtin{t: t, runtime: runtime})
	page := startBrowser(t)
	page.size(1280, 800, "light")
	page.do(chromedp.Navigate(url))
	page.until("document.querySelector('#session option') !== null")
	return page
}

const doing = "document.getElementById('doing-what').textContent"

// The page says what the agent is doing. When a handler takes over, the plot falls from
// seconds to microseconds.
func TestPageOfAHandler(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory", "--session", "compiled")
	page := openPage(t, c.runtime)
	page.until(doing + " === 'waiting for an agent'")
	draw := recordTerminal(t, &builtin{t: t, runtime: c.runtime})

	_, reading := c.begin("tools/call", toolCall("read_packet", `{"timeout_ms":20000}`))
	page.until(doing + " === 'reading'")
	page.do(chromedp.Click("#ping"))
	c.wait("the read", reading)
	page.until(doing + " === 'thinking'")
	// Like a model, it takes its time: it answers once the page has said for how long.
	page.until("/^for [1-9][.0-9]* s$/.test(document.getElementById('doing-for').textContent)")
	page.picture("thinking")
	if text, failed := c.tool("write_packet", `{"packets":[{"reply_to":1,"patch":{"12":"0a4d0002 0a4d0001","20":"00"}}],"assist":"fix"}`); failed {
		t.Fatal(text)
	}
	page.until(rows("li.to-peer:not(.handler)") + " === 1")
	if got := value[string](page, "document.querySelector('#rows li.to-peer .answers').textContent"); !strings.HasPrefix(got, "answers #1 after ") || !strings.HasSuffix(got, " s") {
		t.Errorf("the answer says %q", got)
	}

	// A refused packet stands out, and its bytes can be shown.
	if _, failed := c.tool("write_packet", `{"packets":[{"reply_to":1,"patch":{"20":"00","22":"0000"}}],"assist":"check"}`); !failed {
		t.Error("a faulty packet was sent")
	}
	page.until(rows("li.refused") + " === 1")
	page.do(chromedp.Click("#rows li.refused"))
	page.until("document.getElementById('details-dump').textContent.includes('should be')")

	guide, err := os.ReadFile("docs/write-handler.md")
	if err != nil {
		t.Fatal(err)
	}
	_, source, _ := strings.Cut(string(guide), "```python\n")
	source, _, _ = strings.Cut(source, "```")
	arguments, err := json.Marshal(map[string]string{"source": source})
	if err != nil {
		t.Fatal(err)
	}
	if text, failed := c.tool("install_handler", string(arguments)); failed {
		t.Fatal(text)
	}
	page.until(rows("li.note") + " === 1")
	page.do(chromedp.Click("#every"))
	page.until(rows("li.to-peer.handler") + " >= 2")
	page.do(chromedp.Click("#every"))
	// The plot's text has both.
	page.until("/the agent answered 1 packets, most recently after [.0-9]+ s; a handler answered [2-9] packets, most recently after [.0-9]+ (µs|ms)/.test(document.getElementById('plot').getAttribute('aria-label'))")
	for _, scheme := range []string{"light", "dark"} {
		page.size(1280, 800, scheme)
		page.picture("handler-" + scheme)
	}
	page.do(chromedp.Click("#close"))
	page.size(400, 800, "light")
	page.picture("handler-narrow")
	draw("terminal")
	page.quiet()
}

// strangers returns the texts of the tests of hostile packets.
func strangers(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "mcpserver/hostile_payloads_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil && len(text) > 8 {
				texts = append(texts, text)
			}
		}
		return true
	})
	if len(texts) < 20 {
		t.Fatalf("%d texts of strangers, want at least 20", len(texts))
	}
	return texts
}

// openEach opens the details of packet %[1]d and of every %[3]d-th after it, before %[2]d,
// each once the one before is shown.
const openEach = `new Promise((done) => {
	const title = document.getElementById('details-title');
	let number = %[1]d;
	const observer = new MutationObserver(() => {
		if (!title.textContent.startsWith('#' + number + ' ')) return;
		if ((number += %[3]d) < %[2]d) return (location.hash = '#/' + number);
		observer.disconnect();
		done();
	});
	observer.observe(title, { childList: true });
	location.hash = '#/' + number;
})`

// No content of a packet becomes markup, runs, or breaks the layout.
func TestPageOfHostilePackets(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory", "--session", "hostile")
	page := openPage(t, c.runtime)
	client := control.At(c.runtime + "/tun-mcp/hostile.sock")
	texts := append(strangers(t),
		`<script>window.pwned=1</script>`, `"><img src=x onerror="window.pwned=1">`, `<svg onload=window.pwned=1>`,
		`javascript:window.pwned=1`, `{{constructor.constructor('window.pwned=1')()}}`, `</pre></section><h1 id=pwned>`, strings.Repeat("W", 1200), "\u202e\u2066\x1b[2J")
	elements := value[int](page, "document.querySelectorAll('body :not(#rows *)').length")
	last := 0
	for _, text := range texts {
		if len(text) > 1400 {
			text = text[:1400]
		}
		udp := fmt.Sprintf("4500%04x000000004011%04x0a4d00010a4d00020035%04x%04x0000%x", 28+len(text), 0, 5353, 8+len(text), text)
		for _, hex := range []string{udp, fmt.Sprintf("%x", text)} {
			data, err := packet.ParseHex(hex)
			if err != nil {
				t.Fatal(err)
			}
			if last, err = client.Inject(t.Context(), data); err != nil {
				t.Fatal(err)
			}
		}
	}
	page.until(fmt.Sprintf("document.querySelector('[data-figure=received]').textContent === '%s'", withCommas(last)))
	for first := 1; first <= last; first += 60 {
		page.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(openEach, first, min(first+60, last+1), tuntest.Long(3, 1)), chromedp.EvalAwaitPromise))
	}
	for _, width := range []int64{1280, 400} {
		page.size(width, 800, "light")
		if value[bool](page, "document.documentElement.scrollWidth > innerWidth") {
			t.Errorf("at %d pixels the page is wider than the window", width)
		}
		page.picture(fmt.Sprint("hostile-", width))
	}
	page.do(chromedp.Click("#close"))
	if value[bool](page, "'pwned' in window || document.getElementById('pwned') !== null || document.querySelector('main script, main img, main svg') !== null") {
		t.Error("a packet became markup")
	}
	if now := value[int](page, "document.querySelectorAll('body :not(#rows *)').length"); now > elements+20 {
		t.Errorf("%d elements outside the ladder, before %d", now, elements)
	}
	page.quiet()
}

// heap returns the memory of the page's scripts after a collection, in bytes.
func (b *browser) heap() float64 {
	b.t.Helper()
	used := 0.0
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return err
		}
		usage, err := cdp.Call(ctx, target, runtime.GetHeapUsage, cdp.Empty{})
		used = usage.UsedSize
		return err
	}))
	return used
}

// At 1,000 packets a second, the page samples and says so, follows to the last packet,
// and holds no more at the end than after the first seconds. The load lasts until the
// page has shown that it samples.
func TestPageUnderLoad(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory", "--session", "busy")
	page := openPage(t, b.runtime)
	const each = 500 // pings of one second
	least := int(tuntest.Length(t, 3*time.Second, 30*time.Second) / time.Second)
	sent, over := make(chan int, 1), make(chan struct{})
	go func() {
		total := 0
		defer func() { sent <- total }()
		for n, wanted := 0, true; n < least || wanted; n++ {
			out, err := b.command("ping", "-q", "-i", "0.002", "-c", strconv.Itoa(each)).CombinedOutput()
			if err != nil || !strings.Contains(string(out), " 0% packet loss") {
				t.Errorf("the link failed: %v\n%s", err, out)
				return
			}
			total += each
			select {
			case <-over:
				wanted = false
			default:
			}
		}
	}()
	finish := sync.OnceValue(func() int { close(over); return <-sent })
	defer finish()
	page.until(rows("li:not(.silence)") + " >= 400")
	page.until("!document.getElementById('sampling').hidden")
	line := value[string](page, "document.getElementById('sampling').textContent")
	before := page.heap()
	page.picture("load")
	total := finish()
	page.until(fmt.Sprintf("document.querySelector('[data-figure=written]').textContent === '%s'", withCommas(total)))
	if !value[bool](page, "document.getElementById('newest').hidden") {
		t.Error("the ladder did not follow the newest row, although nobody scrolled")
	}
	after := page.heap()
	t.Logf("%s; heap %.1f MB, then %.1f MB; %d pings", line, before/1e6, after/1e6, total)
	if after > before+4e6 {
		t.Errorf("the heap grew from %.1f to %.1f MB", before/1e6, after/1e6)
	}
	if n := value[int](page, rows("li:not(.silence)")); n > 400 {
		t.Errorf("%d rows are kept, want 400 at most", n)
	}
	page.until("document.getElementById('sampling').hidden") // the load is over, so the notice is gone
	page.quiet()
}

// whileBusy keeps the page's scripts busy for 2 s, and returns how often rows were added
// in that time and in the half second after it.
const whileBusy = `new Promise((done) => {
	let added = 0;
	new MutationObserver(() => added++).observe(document.getElementById('rows'), { childList: true });
	for (const until = performance.now() + 2000; performance.now() < until;);
	setTimeout(() => done(added), 500);
})`

// A browser that is slower than the messages shows many of them at a time, so that it
// falls no further behind. In 2 s come 20 messages.
func TestPageInASlowBrowser(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory", "--session", "slow")
	page := openPage(t, b.runtime)
	load := b.command("ping", "-q", "-i", "0.01", "-c", "100000")
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = load.Process.Kill(); _ = load.Wait() }()
	page.until(rows("li") + " >= 10")
	added, err := chromedp.Run(page.ctx, chromedp.Evaluate[int](whileBusy, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("rows were added %d times", added)
	if added < 1 || added > 15 {
		t.Errorf("rows were added %d times, want 1 to 15", added)
	}
	page.quiet()
}

func withCommas(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
