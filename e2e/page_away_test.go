package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// cable is a connection between a browser and a server that the test can cut.
type cable struct {
	to string

	mu     sync.Mutex // guards the fields below
	pulled bool
	open   []net.Conn
}

// plug returns a cable to an address, and the address of its other end.
func plug(t *testing.T, to string) (*cable, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	c := &cable{to: to}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.connect(conn)
		}
	}()
	return c, listener.Addr().String()
}

func (c *cable) connect(conn net.Conn) {
	other, err := net.Dial("tcp", c.to)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || c.pulled {
		conn.Close()
		return
	}
	c.open = append(c.open, conn, other)
	carry := func(from, to net.Conn) {
		_, _ = io.Copy(to, from) // ends when the cable is pulled
		from.Close()
		to.Close()
	}
	go carry(conn, other)
	go carry(other, conn)
}

// pull cuts every connection, and refuses new ones until the cable is plugged in again.
func (c *cable) pull(out bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = out
	for _, conn := range c.open {
		conn.Close()
	}
	c.open = nil
}

// freeze stops a page, as if it were behind other tabs or the machine slept, or lets it
// continue.
func (b *browser) freeze(frozen bool) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		state := cdppage.SetWebLifecycleStateStateActive
		if frozen {
			state = cdppage.SetWebLifecycleStateStateFrozen
		}
		_, err := cdp.Call(ctx, target, cdppage.SetWebLifecycleState, cdppage.SetWebLifecycleStateParams{State: state})
		return err
	}))
}

// A browser that slept or lost its network gets what it missed, and says how much of
// that it cannot show.
func TestPageOfABrowserThatWasAway(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"frozen", "offline"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBuiltin(t, "-q", "--network", "memory", "--session", "away")
			address, err := url.Parse(startWeb(t, b))
			if err != nil {
				t.Fatal(err)
			}
			network, at := plug(t, address.Host)
			address.Host = at
			page := startBrowser(t)
			page.do(chromedp.Navigate(address.String()))
			page.until(doing + " === 'reading'")
			page.do(chromedp.Click("#ping"))
			page.until(rows("li.to-peer") + " === 1")

			away := page.freeze
			if name == "offline" {
				away = network.pull
			}
			away(true)
			if name == "offline" {
				page.until(doing + " === 'disconnected'")
			}
			// More pings than the ladder holds, slowly enough that it shows all of
			// them.
			pings := tuntest.Long(250, 600)
			if out, err := b.command("ping", "-q", "-c", fmt.Sprint(pings), "-i", "0.03").CombinedOutput(); err != nil {
				t.Fatalf("ping: %v\n%s", err, out)
			}
			away(false)
			page.until(fmt.Sprintf("document.querySelector('[data-figure=written]').textContent === '%d'", pings+1))
			// It shows the end of what it missed. On a busy machine the pings come in
			// bursts, and the ladder shows a sample, which may not have the very last
			// one.
			page.until(fmt.Sprintf("[...document.querySelectorAll('#rows .name')].some((name) => Number(name.textContent.slice(1)) > %d)", 2*pings-100))
			if n := value[int](page, rows("li:not(.silence)")); n > 400 {
				t.Errorf("%d rows, want 400 at most", n)
			}
			if name == "offline" { // messages for a frozen page wait for it
				page.until("/^[1-9][0-9,]* lines are missing here: /.test(document.querySelector('#rows li:first-child').textContent)")
			}
			page.picture("away-" + name)
			page.do(chromedp.Click("#ping")) // and it continues
			page.until(fmt.Sprintf("document.querySelector('[data-figure=written]').textContent === '%d'", pings+2))
			page.until(doing + " === 'reading' && document.getElementById('note').hidden")
		})
	}
}

// A day of pings, one every two seconds, with the calls that read and answer them: the
// loaded page holds no more than after an hour. The short form is half an hour after a
// quarter of one.
func TestPageOfADay(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory", "--session", "day")
	page := openPage(t, b.runtime)
	page.do(chromedp.Evaluate[chromedp.Void](`void import("/ladder.js").then(({ Ladder }) => {
		const list = document.getElementById("rows");
		const ladder = new Ladder(list, document.getElementById("rung"), () => {});
		let id = 1e6, number = 1e6;
		window.minutes = async (n) => {
			for (let ping = 0; ping < n * 30; ping += 50) {
				const rows = [];
				for (let i = 0; i < 50; i++) {
					const text = "ICMP echo request id 1 seq " + number;
					rows.push({ id: id++, class: "rung to-agent", time: "12:00:00.000", name: "#" + number, text, number: number++ });
					rows.push({ id: id++, class: "rung call", time: "12:00:00.000", text: "read_packet, 2.00 s", took: 2000 });
					rows.push({ id: id++, class: "rung to-peer", time: "12:00:00.000", name: "#" + number, text, number: number++, reply_to: number - 2, answers: "answers" });
					rows.push({ id: id++, class: "rung call", time: "12:00:00.000", text: "write_packet, 1.00 ms", took: 1, thought: 900 });
				}
				ladder.apply(rows, id - 400);
				await new Promise((done) => requestAnimationFrame(done));
			}
			return list.children.length;
		};
	})`))
	page.until("typeof window.minutes === 'function'")
	minutes := func(n int) (elements int, heap float64) {
		t.Helper()
		ctx, cancel := context.WithTimeout(page.ctx, time.Duration(tuntest.Long(4, 20))*patience)
		defer cancel()
		elements, err := chromedp.Run(ctx, chromedp.Evaluate[int](fmt.Sprintf("minutes(%d)", n), awaited))
		if err != nil {
			t.Fatal(err)
		}
		return elements, page.heap()
	}
	elements, before := minutes(tuntest.Long(15, 60))
	moreElements, after := minutes(tuntest.Long(30, 23*60))
	t.Logf("heap %.2f MB at first, %.2f MB then", before/1e6, after/1e6)
	if elements > 420 || moreElements > 420 || after > before+1e6 {
		t.Errorf("%d elements and %.1f MB at first, then %d and %.1f MB", elements, before/1e6, moreElements, after/1e6)
	}
	page.quiet()
}

// If there are two sessions, the page shows the chosen one, and keeps showing it when
// the other ends.
func TestPageOfTwoSessions(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory", "--session", "one")
	two := b.command("agent", "-q", "--network", "memory", "--session", "two")
	if err := two.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = two.Process.Kill(); _ = two.Wait() })
	until(t, "session two to run", func() bool {
		_, err := control.At(b.runtime + "/tun-mcp/two.sock").Status(t.Context())
		return err == nil
	})
	page := openPage(t, b.runtime)
	options := "[...document.querySelectorAll('#session option')].map((option) => option.value).sort().join()"
	page.until(options + " === 'one,two' && document.getElementById('session').value === 'two'")
	choose := func(name string) {
		page.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void (document.getElementById('session').value = %q, document.getElementById('session').dispatchEvent(new Event('change')))", name)))
		page.until(fmt.Sprintf("new URLSearchParams(location.search).get('session') === %q && %s === 'reading'", name, doing))
	}
	if out, err := b.command("ping", "-c", "2", "-i", "0.1", "--session", "two").CombinedOutput(); err != nil {
		t.Fatalf("ping: %v\n%s", err, out)
	}
	page.until(rows("li.to-peer") + " === 2")
	choose("one")
	page.until(rows("li.to-peer") + " === 0")
	page.do(chromedp.Click("#ping"))
	page.until(rows("li.to-peer") + " === 1")
	page.do(chromedp.Click("#every"))
	page.until(rows("li.to-peer") + " >= 2")
	page.do(chromedp.Evaluate[chromedp.Void]("history.back()"))
	page.until("document.getElementById('session').value === 'two' && document.getElementById('every').ariaPressed === 'false'")
	page.until(rows("li.to-peer") + " === 2 && document.querySelector('[data-figure=written]').textContent === '2'")
	choose("one")
	page.until("document.querySelector('[data-figure=written]').textContent >= 2 && " + rows("li.to-peer") + " >= 2")
	if err := two.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	page.until(options + " === 'one' && " + rows("li.to-peer") + " >= 2 && " + doing + " === 'reading'")
	page.quiet()
}

// After the link has ended its server still runs. The page asks again and again whether
// the session was restarted, and meanwhile leaves the ladder alone.
func TestPageOfAnEndedLink(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory", "--session", "ended")
	page := openPage(t, c.runtime)
	page.do(chromedp.Click("#ping"))
	page.until(rows("li.to-agent") + " === 1")
	if err := control.At(c.runtime+"/tun-mcp/ended.sock").End(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	page.until(doing + " === 'ended'")
	page.do(chromedp.Click("#rows li.to-agent"))
	page.until(rows("li.to-agent[aria-selected=true]") + " === 1")
	page.do(chromedp.Evaluate[chromedp.Void]("performance.clearResourceTimings()"))
	page.until("performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/sessions')).length > 2")
	page.until(doing + " === 'ended'")
	if n := value[int](page, rows("li.to-agent[aria-selected=true]")); n != 1 {
		t.Errorf("%d rows are chosen, want 1", n)
	}
	page.quiet()
}
