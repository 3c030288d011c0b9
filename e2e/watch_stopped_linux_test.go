package e2e

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tun-mcp/tun-mcp/control"
)

// If the session's server is stopped, the watch in the terminal and the page say so,
// and continue with it. Meanwhile the watch can be ended.
func TestWatchOfAStoppedServer(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory", "--session", "stopped")
	status, err := control.At(b.runtime + "/tun-mcp/stopped.sock").Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signal := func(what syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(status.PID, what); err != nil {
			t.Fatal(err)
		}
	}
	defer signal(syscall.SIGCONT) // so that it can end
	var mu sync.Mutex
	var said strings.Builder
	w := b.command("watch")
	w.Stdout = lockedWriter{&mu, &said}
	w.Stderr = w.Stdout
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	says := func(what string) {
		t.Helper()
		until(t, "the watch says "+what, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(said.String(), what)
		})
	}
	says("watching session")
	page := openPage(t, b.runtime)
	page.do(chromedp.Click("#ping"))
	page.until(rows("li.to-peer") + " === 1")
	says("#2 ←")

	signal(syscall.SIGSTOP)
	says("session stopped: its server does not answer; it may be stopped (SIGSTOP)")
	page.until(doing + " === 'not answering' && document.getElementById('note').textContent.includes('it may be stopped (SIGSTOP)')")
	page.do(chromedp.Click("#rows li.to-peer")) // what was shown stays
	page.until("document.getElementById('details-dump').textContent.includes('ICMP checksum')")
	page.picture("stopped")
	other := startBrowser(t)
	other.do(chromedp.Navigate(startWeb(t, b)))
	other.until("document.getElementById('note').textContent.includes('its server is stopped (SIGSTOP)')")

	signal(syscall.SIGCONT)
	says("session stopped: its server answers again")
	page.until(doing + " === 'reading' && document.getElementById('note').hidden")
	other.until(rows("li.to-peer") + " === 1 && document.getElementById('note').hidden")
	page.do(chromedp.Click("#ping"))
	page.until(rows("li.to-peer") + " === 2")
	says("#4 ←")

	signal(syscall.SIGSTOP)
	if err := w.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(); err != nil {
		t.Errorf("the watch of a stopped server, at Ctrl-C: %v\n%s", err, &said)
	}
	page.quiet()
}
