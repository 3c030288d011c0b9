package page

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/ladder"
)

// appRest is how long a session is still followed after the last request from a page
// in a conversation.
const appRest = time.Minute

// App is the ladder as an MCP App (SEP-1865), a page that reads its data through its
// MCP client. A client shows one page beside each result. Only the newest page gets
// packets; the others learn that they are stale.
type App struct {
	ctx     context.Context
	session string
	html    string

	mu     sync.Mutex // guards everything below
	hub    *hub       // nil if no page has asked lately
	rest   *time.Timer
	asked  time.Time // when a page asked last
	newest int       // number of the newest page
}

// NewApp returns the ladder of a session. The session need not be running yet. The App
// stops following it when ctx ends.
func NewApp(ctx context.Context, session string) *App {
	return &App{ctx: ctx, session: session, html: appHTML()}
}

// HTML returns the page as a single document that loads nothing else.
func (a *App) HTML() string { return a.html }

// appHTML builds the page.
func appHTML() string {
	var html strings.Builder
	t := template.Must(template.New("app").Parse(asset("app.html") + asset("details.html") + ladder.HTML))
	if err := t.Execute(&html, struct {
		Style  template.CSS
		Script template.JS
		Rung   ladder.Row
	}{
		template.CSS(asset("page.css") + ladder.CSS + asset("live.css") + asset("app.css")),
		template.JS(script("time.js", "ladder.js", "packet.js", "app.js")),
		ladder.Row{Class: "rung"},
	}); err != nil {
		panic(err) // cannot happen with a tested template
	}
	return html.String()
}

// script joins modules into one script. A module must come after those it imports.
func script(modules ...string) string {
	var all strings.Builder
	for _, module := range modules {
		for line := range strings.Lines(asset(module)) {
			if !strings.HasPrefix(line, "import ") {
				all.WriteString(strings.TrimPrefix(line, "export "))
			}
		}
	}
	return all.String()
}

// appReply answers a page that asks for changes.
type appReply struct {
	Page  int    `json:"page"`            // number of the page, for its next request
	After string `json:"after,omitempty"` // version that it has now, for its next request
	Stale bool   `json:"stale,omitempty"` // a newer page exists
	*message
}

// Read answers a page in JSON: with the details of one packet if query has number or
// row, otherwise with the changes since after.
func (a *App) Read(ctx context.Context, query url.Values) (string, error) {
	id, number := count(query, "row"), count(query, "number")
	var answer any
	if page := count(query, "page"); id == 0 && number == 0 && a.stale(page) {
		answer = appReply{Page: page, Stale: true}
	} else if h, err := a.follow(); err != nil {
		return "", err
	} else if id > 0 || number > 0 {
		if answer, err = h.packetOf(ctx, id, number); err != nil {
			return "", err
		}
	} else {
		answer = h.reply(a.number(page), query.Get("after"))
	}
	text, err := json.Marshal(answer)
	return string(text), err
}

// count returns a number in a query, or 0 if there is none.
func count(query url.Values, name string) int {
	n, err := strconv.Atoi(query.Get(name))
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// stale reports whether a page newer than this one exists.
func (a *App) stale(page int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return page > 0 && page < a.newest
}

// number returns a page's number. 0 gets a new one.
func (a *App) number(page int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if page == 0 {
		a.newest++
		page = a.newest
	}
	a.newest = max(a.newest, page) // the page is from before a restart of the server
	return page
}

// follow returns the hub of the session. It starts one if necessary.
func (a *App) follow() (*hub, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hub == nil {
		client, err := control.Find(a.session)
		if err != nil {
			return nil, err
		}
		if a.hub, err = newHub(a.ctx, client); err != nil {
			a.hub = nil
			return nil, err
		}
		a.hub.join()
		a.rest = time.AfterFunc(appRest, a.unfollow)
	}
	a.asked = time.Now()
	a.rest.Reset(appRest)
	return a.hub, nil
}

// unfollow stops the hub if no page has asked lately. If a page asked while unfollow
// waited for the lock, the timer calls it again.
func (a *App) unfollow() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hub == nil || time.Since(a.asked) < appRest {
		return
	}
	a.hub.stop()
	a.hub = nil
}

// reply returns the changes since the version in after.
func (h *hub) reply(page int, after string) appReply {
	m, newest, changed := h.since(h.known(after), time.Now())
	answer := appReply{Page: page, After: fmt.Sprintf("%s.%d", h.epoch, newest)}
	if changed {
		m.Plot = nil // the App has no plot
		answer.message = &m
	}
	return answer
}

// known returns the version in an event's id, or 0 if the id is from another hub.
func (h *hub) known(id string) int {
	epoch, text, _ := strings.Cut(id, ".")
	if n, err := strconv.Atoi(text); err == nil && n > 0 && epoch == h.epoch {
		return n
	}
	return 0
}
