package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// The page says why a search or a ping failed until the next one succeeds, however many
// packets cross meanwhile.
func TestPageKeepsWhatFailed(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "-q", "--network", "memory", "--session", "failed")
	page := openPage(t, b.runtime)
	page.until(doing + " === 'reading'")
	page.do(chromedp.Evaluate[chromedp.Void](`void (window.real = window.fetch, window.fetch = (to, how) => to === "ping" ? Promise.reject(new Error("no ping today")) : real(to, how))`))
	find := func(text string) {
		page.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void (document.getElementById('number').value = %q, document.getElementById('find').requestSubmit())", text)))
	}
	const note = "document.getElementById('note').textContent"
	crossed := 0
	cross := func() {
		t.Helper()
		if out, err := b.command("ping", "-c", "2", "-i", "0.1").CombinedOutput(); err != nil {
			t.Fatalf("ping: %v\n%s", err, out)
		}
		crossed += 2
		page.until(fmt.Sprintf("%s === %d", rows("li.to-peer"), crossed))
	}
	find("seven")
	page.do(chromedp.Click("#ping"))
	cross()
	if got, want := value[string](page, note), `"seven" is not a packet number; accepted is a whole number from 1. no ping today`; got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
	find("1")
	page.until(note + " === 'no ping today'")
	page.do(chromedp.Evaluate[chromedp.Void]("void (window.fetch = window.real)"), chromedp.Click("#ping"))
	page.until("document.getElementById('note').hidden")
	page.quiet()
}
