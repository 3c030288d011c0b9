package page

import (
	"encoding/json"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// ask calls Read as a page does.
func ask(t *testing.T, a *App, query string) (answer struct {
	Page  int
	After string
	Stale bool
	Reset bool
	Rows  []rowMessage
	State *state
}) {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.Read(t.Context(), values)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// Only the newest of several pages in a conversation gets changes, each once. A
// session is not followed if no page asks.
func TestApp(t *testing.T) {
	t.Setenv("TUN_MCP_RUNTIME_DIR", t.TempDir()) // apart from this machine's sessions
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub()
		h.epoch = "E"
		stopped := false
		h.stop = func() { stopped = true }
		a := NewApp(t.Context(), "none")
		a.hub, a.rest = h, time.AfterFunc(appRest, a.unfollow)
		exchange(h, 1, start)

		first := ask(t, a, "page=0")
		if first.Page != 1 || !first.Reset || len(first.Rows) != 2 || first.State == nil {
			t.Errorf("%+v", first)
		}
		if again := ask(t, a, "page=1&after="+first.After); again.State != nil || again.Rows != nil || again.Stale {
			t.Errorf("without changes: %+v", again)
		}
		exchange(h, 3, start)
		if more := ask(t, a, "page=1&after="+first.After); len(more.Rows) != 2 || more.Reset {
			t.Errorf("%+v", more)
		}
		if other := ask(t, a, "page=1&after=OTHER.3"); len(other.Rows) != 4 || !other.Reset {
			t.Errorf("with the version of another hub: %+v", other)
		}
		if second := ask(t, a, "page=0"); second.Page != 2 || len(second.Rows) != 4 {
			t.Errorf("%+v", second)
		}
		if old := ask(t, a, "page=1&after="+first.After); !old.Stale || old.Rows != nil {
			t.Errorf("%+v", old)
		}
		if kept := ask(t, a, "page=9"); kept.Page != 9 || kept.Stale {
			t.Errorf("a page from before a restart of the server: %+v", kept)
		}

		time.Sleep(appRest - time.Second)
		ask(t, a, "page=9")
		time.Sleep(appRest - time.Second)
		synctest.Wait()
		if stopped {
			t.Error("the session is not followed although a page asked")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !stopped || a.hub != nil {
			t.Error("the session is followed although no page asks")
		}
		if _, err := a.Read(t.Context(), url.Values{}); err == nil || !strings.Contains(err.Error(), `no session is named "none"`) {
			t.Errorf("for an ended session: %v", err)
		}
	})
}

// If a page asks at the moment when the rest is over, the session is still followed, and
// unfollowed once after the next rest.
func TestAppAskedAtTheEndOfItsRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub()
		var stopped atomic.Int32
		h.stop = func() { stopped.Add(1) }
		a := NewApp(t.Context(), "none")
		a.hub, a.rest = h, time.AfterFunc(appRest, a.unfollow)
		ask(t, a, "page=0")
		a.unfollow() // the timer had fired, but the page got the lock first
		if stopped.Load() > 0 {
			t.Error("the session is not followed although a page has just asked")
		}
		time.Sleep(appRest)
		synctest.Wait()
		if stopped.Load() != 1 || a.hub != nil {
			t.Errorf("the session was unfollowed %d times, want once", stopped.Load())
		}
	})
}

// The page is a single document: it has no imports and loads no file.
func TestAppIsOnePiece(t *testing.T) {
	html := NewApp(t.Context(), "none").HTML()
	for _, bad := range []string{"\nimport ", "\nexport ", "src=", "href=\"h", "http://", "https://", "@import", "url("} {
		if strings.Contains(html, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if !strings.Contains(html, "class Ladder") || !strings.Contains(html, ".ladder li") || !strings.Contains(html, `<li class="rung">`) {
		t.Error("the ladder is not on the page")
	}
	t.Logf("%d bytes", len(html))
}
