//go:build unix

package main

import (
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// A campaign can use an existing NATS server. There too, a second start is refused
// while the first is running, even with another folder.
func TestExistingServer(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} slow 400ms", parallel: 1}]
scenarios: [ping]
repetitions: 16
`)
	server, err := queue.Embed(queue.Embedded{Folder: t.TempDir(), Listen: "127.0.0.1:0", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	args := []string{"start", f.plan, "--lease", "1s", "--nats", server.URL(), "--token-file", f.file("token", token)}
	first := f.begin(args...)
	f.ended(1)
	if out := f.begin(append(args, "--folder", t.TempDir())...).ends(1); !strings.Contains(out, "another start is running") {
		t.Errorf("a second start says %s", out)
	}
	first.interrupt()
	first.ends(1)
	worker := f.work(server.URL())
	f.begin(args...).ends(0)
	worker.ends(0)
	f.allDone(16)

	// Another folder gets the verdicts that the server has. Another plan needs another name.
	f.folder = record.Folder(t.TempDir())
	f.begin(append(args, "--folder", string(f.folder))...).ends(0)
	f.allDone(16)
	f.write("name: p\nagents: [{name: a, agent: builtin}]\nscenarios: [ping]\n")
	if out := f.begin(append(args, "--folder", t.TempDir())...).ends(1); !strings.Contains(out, "already has another campaign named p") {
		t.Errorf("a start of another plan says %s", out)
	}
}
