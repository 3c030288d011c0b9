package page

import (
	"context"
	"sync"

	"github.com/tun-mcp/tun-mcp/control"
)

// hubs has the hubs of the sessions that pages asked for.
type hubs struct {
	ctx context.Context // ends with the server

	mu  sync.Mutex // guards the fields below
	all []*hub     // oldest first
}

// maxHubs is the largest number of hubs, for running and ended sessions.
const maxHubs = 16

// of returns the hub of a session, starting one if necessary. An ended session keeps
// its hub, so that pages still show its last packets. of asks the session without
// holding the lock, because its server may be stopped and other pages must not wait.
func (x *hubs) of(name string) (*hub, error) {
	found := x.find(name)
	if found != nil && (!found.over() || found.final(x.ctx)) {
		return found, nil
	}
	client, err := control.Find(name)
	if err == nil {
		var fresh *hub
		if fresh, err = newHub(x.ctx, client); err == nil {
			return x.keep(fresh), nil
		}
	}
	if found != nil {
		return found, nil
	}
	return nil, err
}

// find returns the newest hub of a session, or nil if there is none.
func (x *hubs) find(name string) *hub {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := len(x.all) - 1; i >= 0; i-- {
		if x.all[i].client.Name == name {
			return x.all[i]
		}
	}
	return nil
}

// keep adds a new hub, unless another request has added one meanwhile.
func (x *hubs) keep(fresh *hub) *hub {
	if other := x.find(fresh.client.Name); other != nil && !other.over() {
		fresh.stop()
		return other
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop()
	x.all = append(x.all, fresh)
	return fresh
}

// drop makes room for one more hub. It first drops hubs that have ended and are on no
// page, then others that are on no page. x.mu is held.
func (x *hubs) drop() {
	for _, droppable := range []func(*hub) bool{
		func(h *hub) bool { return h.over() && h.unseen() },
		func(h *hub) bool { return h.unseen() },
		func(*hub) bool { return true },
	} {
		for i := 0; len(x.all) >= maxHubs && i < len(x.all); {
			if h := x.all[i]; droppable(h) {
				h.stop()
				x.all = append(x.all[:i], x.all[i+1:]...)
				continue
			}
			i++
		}
	}
}

// over reports whether the session has ended.
func (h *hub) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended != ""
}

// final reports whether the session's link has ended but its server still runs.
func (h *hub) final(ctx context.Context) bool {
	status, err := h.client.StatusSoon(ctx)
	return err == nil && status.State != "open" && status.Started.Equal(h.start)
}

// unseen reports whether no page shows the session.
func (h *hub) unseen() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pages == 0
}
