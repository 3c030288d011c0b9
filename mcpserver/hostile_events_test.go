package mcpserver

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// packetEvent matches an event of GET /events for a packet: numbers, times, hex, and
// words, whose vocabulary is tested below.
var packetEvent = regexp.MustCompile(`^\{"event":"packet","number":\d+,"time":"[0-9TZ:.+-]+","direction":"read","hex":"([0-9a-f]+)","summary":"([ -~]+?)"(?:,"faults":\["([ -~]+?)"\])?\}$`)

// TestHostileEvents checks the events that watchers, trials and logs get.
func TestHostileEvents(t *testing.T) {
	path := filepath.Join(tuntest.RuntimeDir(t), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	device := tuntest.NewDevice()
	s := session.New(device, session.Config{Name: "hostile"})
	control := control.Serve(s, listener, func() session.Status { return s.Fill(session.Status{}) })
	t.Cleanup(func() { s.Close(); control.Close() })

	watcher := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	response, err := watcher.Get("http://session/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for _, h := range hostiles {
		for _, p := range h.packets() {
			device.FromPeer(p)
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			m := packetEvent.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if m == nil || m[1] != bytesOf(p) {
				t.Errorf("%s: %q", h.name, line)
				continue
			}
			for _, words := range append(strings.Split(m[3], `","`), m[2]) {
				if words = strings.ReplaceAll(words, `\u003e`, ">"); words == "" {
					continue
				}
				if why := unknown("#1 84 bytes, waited 0 s: " + words); why != "" {
					t.Errorf("%s: %s: %q", h.name, why, words)
				}
			}
		}
	}
}
