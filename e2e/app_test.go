package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/packet"
)

// The ladder in a conversation: packets appear as they cross, a click opens one, only
// the newest page follows the link, and hostile packets are only text.
func TestAppInOfficialHost(t *testing.T) {
	t.Parallel()
	s := startHTTP(t, exec.Command(program), "--session", "talk")
	page := appHost(t, s, "")

	// A client that does not announce the extension sees no change. One that does sees
	// only the link as well.
	plain, err := chromedp.Run(page.ctx, chromedp.Evaluate[json.RawMessage]("announces({})", awaited))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := chromedp.Run(page.ctx, chromedp.Evaluate[json.RawMessage]("announces()", awaited))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(plain), "ladder") || strings.Contains(string(plain), "ui://") {
		t.Errorf("a client that announces nothing sees\n%s", plain)
	}
	if n := strings.Count(string(shown), `"ui":{"resourceUri":"ui://tun/ladder"}`); n != 2 || strings.Count(string(shown), "ladder") != 2 {
		t.Errorf("%d tools have the page, want 2:\n%s", n, shown)
	}

	page.call("first", "read_packet", `{timeout_ms: 20000}`)
	page.appUntil(0, "document.getElementById('doing-what').textContent === 'reading'")
	ping := (&builtin{t: t, runtime: s.runtime}).command("ping", "-c", "1", "-W", "20")
	if err := ping.Start(); err != nil {
		t.Fatal(err)
	}
	page.appUntil(0, rows("li.to-agent")+" === 1")
	page.until("window.first !== null")
	page.call("second", "write_packet", `{packets: [{reply_to: 1, patch: {"12": "0a4d0002 0a4d0001", "20": "00"}}], assist: "fix"}`)
	if err := ping.Wait(); err != nil {
		t.Errorf("the ping: %v", err)
	}
	page.appUntil(1, rows("li.to-peer")+" === 1 && "+rows(".tie")+" === 1")
	page.appUntil(0, "document.documentElement.classList.contains('stale') && !document.getElementById('here').hidden")
	page.until("Math.round(bridges[0].frame.getBoundingClientRect().height) < 60 && bridges[1].frame.getBoundingClientRect().height > 300")

	page.appDo(1, "document.querySelector('#rows li.to-peer').click()")
	page.appUntil(1, "document.getElementById('details-dump').textContent.includes('ICMP checksum')")
	details, _ := inApp[string](page, 1, "document.getElementById('details').innerText")
	for _, want := range []string{"#2 IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply", "84 bytes", "answers #1", "0a4d 0002", "sequence number"} {
		if !strings.Contains(details, want) {
			t.Errorf("%q is not in the details\n%s", want, details)
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		page.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void theme(%q)", scheme)))
		page.appUntil(1, fmt.Sprintf("getComputedStyle(document.documentElement).colorScheme === %q", scheme))
		page.picture("app-" + scheme)
	}
	page.size(400, 900, "light")
	page.picture("app-narrow")
	if wide, err := inApp[bool](page, 1, "document.documentElement.scrollWidth > innerWidth"); err != nil || wide {
		t.Errorf("at 400 pixels the page is wider than its frame: %v", err)
	}
	if cut, err := inApp[bool](page, 0, "document.getElementById('here').getBoundingClientRect().bottom > innerHeight"); err != nil || cut {
		t.Errorf("at 400 pixels the button of an older page is cut off: %v", err)
	}
	page.size(800, 1000, "light")
	page.appDo(1, "document.querySelector('#details-links a').click()")
	page.appUntil(1, "document.getElementById('details-title').textContent.startsWith('#1 ')")
	page.appDo(1, "document.getElementById('close').click()")

	client := control.At(s.runtime + "/tun-mcp/talk.sock")
	last := 0
	for _, text := range append(strangers(t), `<script>document.body.id='pwned'</script>`, `"><img src=x onerror="document.body.id='pwned'">`, `</script><h1 id=pwned>`, strings.Repeat("W", 1200), "\u202e\u2066\x1b[2J") {
		text = text[:min(len(text), 1400)]
		data, err := packet.ParseHex(fmt.Sprintf("4500%04x00000000401100000a4d00010a4d00020035%04x%04x0000%x", 28+len(text), 5353, 8+len(text), text))
		if err != nil {
			t.Fatal(err)
		}
		if last, err = client.Inject(t.Context(), data); err != nil {
			t.Fatal(err)
		}
	}
	newest := func(number int) {
		t.Helper()
		page.appUntil(1, fmt.Sprintf("document.querySelector('#rows li:last-child .name').textContent === '#%d'", number))
	}
	newest(last)
	for number := last; number > 2; number-- {
		page.appDo(1, fmt.Sprintf("[...document.querySelectorAll('#rows li')].find((li) => li.querySelector('.name').textContent === '#%d').click()", number))
		page.appUntil(1, fmt.Sprintf("document.getElementById('details-title').textContent.startsWith('#%d ')", number))
	}
	page.picture("app-hostile")
	if bad, err := inApp[bool](page, 1, "document.getElementById('pwned') !== null || document.querySelector('main script, main img, main svg, main h1') !== null || document.documentElement.scrollWidth > innerWidth"); err != nil || bad {
		t.Errorf("a packet became markup or broke the layout: %v", err)
	}
	if asked, err := inApp[int](page, 1, "performance.getEntriesByType('resource').length"); err != nil || asked != 0 {
		t.Errorf("the page requested %d resources, %v", asked, err)
	}
	shownWithin(t, 3*time.Second, func(int) {
		if last, err = client.Inject(t.Context(), []byte{0x45}); err != nil {
			t.Fatal(err)
		}
		newest(last)
	})

	// The user can bring the ladder back where they are reading.
	page.appDo(1, "document.getElementById('close').click()")
	page.appDo(0, "document.getElementById('here').click()")
	page.appUntil(0, "!document.documentElement.classList.contains('stale') && "+rows("li.to-peer")+" === 1")
	page.appUntil(1, "document.documentElement.classList.contains('stale')")
	if text := value[string](page, "window.second"); !strings.HasPrefix(text, "#2 84 bytes written: ") {
		t.Errorf("the model's own result: %s", text)
	}
	if _, err := chromedp.Run(page.ctx, chromedp.Evaluate[chromedp.Void]("bridges[0].bridge.teardownResource({}).then(() => {})", awaited)); err != nil {
		t.Errorf("the page cannot be closed: %v", err)
	}
	page.quiet()
}

// Over stdio, in both eras, a client that announces MCP Apps gets the link to the page
// and can read the page. Any other client gets the golden list.
func TestAppOverStdio(t *testing.T) {
	t.Parallel()
	bothEras(t, func(t *testing.T, era string) {
		announced := map[string]any{"extensions": map[string]any{"io.modelcontextprotocol/ui": map[string]any{"mimeTypes": []string{"text/html;profile=mcp-app"}}}}
		c := startProgramFor(t, era, announced, exec.Command(program, "--network", "memory", "--session", "piped"))
		var list struct{ Tools []json.RawMessage }
		if err := json.Unmarshal(c.request("tools/list", nil), &list); err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(list.Tools, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		const link = ",\n      \"ui\": {\n        \"resourceUri\": \"ui://tun/ladder\"\n      }"
		if n := strings.Count(string(text), link); n != 2 || strings.ReplaceAll(string(text), link, "")+"\n" != readFile(t, "e2e/testdata/tools-list.json") {
			t.Errorf("%d tools have the page, want 2, and nothing else may differ from tools-list.json:\n%s", n, text)
		}
		if got := string(c.request("resources/read", map[string]any{"uri": "ui://tun/ladder"})); !strings.Contains(got, "doctype html") || !strings.Contains(got, `"text/html;profile=mcp-app"`) {
			t.Errorf("the page: %s", got)
		}
		if _, err := control.At(c.runtime+"/tun-mcp/piped.sock").Inject(t.Context(), []byte{0x45}); err != nil {
			t.Fatal(err)
		}
		until(t, "the page to be told of the packet", func() bool {
			return strings.Contains(string(c.request("resources/read", map[string]any{"uri": "tun://ladder?page=0"})), `\"name\":\"#1\"`)
		})
		if got := string(c.request("resources/read", map[string]any{"uri": "tun://ladder?number=1"})); !strings.Contains(got, `\"title\":\"#1 `) {
			t.Errorf("packet 1: %s", got)
		}
		_, waiting := c.begin("resources/read", map[string]any{"uri": "tun://ladder?number=2"})
		if a := c.wait("packet 2", waiting); a.Error == nil || !strings.Contains(a.Error.Message, "#2") {
			t.Errorf("a packet that does not exist: %+v", a)
		}

		// The page would tell a model what assist none does not.
		c = startProgramFor(t, era, announced, exec.Command(program, "--network", "memory", "--assist", "none"))
		if list := string(c.request("tools/list", nil)); strings.Contains(list, "ui://") {
			t.Errorf("with assist none: %s", list)
		}
		_, waiting = c.begin("resources/read", map[string]any{"uri": "tun://ladder?page=0"})
		if a := c.wait("the ladder with assist none", waiting); a.Error == nil {
			t.Errorf("with assist none: %s", a.Result)
		}
	})
}

// If a client cannot read resources for a page, the page shows the result.
func TestAppInOfficialHostWithoutReads(t *testing.T) {
	t.Parallel()
	s := startHTTP(t, exec.Command(program), "--session", "mute")
	page := appHost(t, s, "&reads=no")
	page.call("first", "read_packet", `{timeout_ms: 0}`)
	page.appUntil(0, "document.getElementById('result').textContent.startsWith('no packet in 0 ms')")
	page.picture("app-without-reads")
	page.quiet()
}
