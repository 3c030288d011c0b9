//go:build unix

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
)

// A start on an existing server is killed, and a worker goes on. cancel first writes
// down what the worker has handed in.
func TestCancelCollects(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} slow 1s", parallel: 1}]
scenarios: [ping]
repetitions: 40
`)
	server, err := queue.Embed(queue.Embedded{Folder: t.TempDir(), Listen: "127.0.0.1:0", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	flags := []string{"--lease", "1s", "--nats", server.URL(), "--token-file", f.file("token", token)}
	start := f.begin(append([]string{"start", f.plan, "--at-once", "0"}, flags...)...)
	start.says("done")
	worker := f.work(server.URL())
	f.ended(1)
	if err := start.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-start.ended
	before := len(f.records())
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	campaign, err := queue.Join(t.Context(), nc, "p")
	if err != nil {
		t.Fatal(err)
	}
	handedIn := 0
	await(t, "the worker has handed in two verdicts", func() bool {
		handedIn, err = campaign.Uncollected(context.Background())
		return err == nil && handedIn >= 2
	})
	if out := f.begin("cancel", f.plan).ends(1); !strings.Contains(out, "repeat cancel with the --nats of its start") || f.folder.Cancelled() {
		t.Errorf("a cancel without the server says %s", out)
	}
	out := f.begin(append([]string{"cancel", f.plan}, flags...)...).ends(0)
	worker.ends(0)
	sum, err := sumOf(f.folder)
	if err != nil || sum.Done < before+handedIn || sum.Cancelled == 0 || sum.Ended() != 40 {
		t.Errorf("%d records before, %d verdicts on the server; after cancel %+v, %v", before, handedIn, sum, err)
	}
	if want := fmt.Sprintf("cancelled: %d cells were done, 0 could not run, %d never ran", sum.Done, sum.Cancelled); !strings.Contains(out, want) {
		t.Errorf("cancel says %s, want %s", out, want)
	}
	if status, err := f.folder.Status(); err != nil || status.Phase != queue.Cancelled {
		t.Errorf("the status is %+v, %v", status, err)
	}
}

// A campaign whose cells have all ended is not cancelled, so --retry-failed can run
// its failed cells later.
func TestCancelTooLate(t *testing.T) {
	f := newField(t, "agents: [{name: a, agent: \"{config} absent\"}]\nscenarios: [ping]\n")
	f.begin("start", f.plan).ends(1)
	if out := f.begin("cancel", f.plan).ends(1); !strings.Contains(out, "all 1 cells of the campaign have ended, so there is nothing to cancel") {
		t.Errorf("cancel says %s", out)
	}
	if status, err := f.folder.Status(); err != nil || status.Phase != queue.Finished {
		t.Errorf("the status is %+v, %v", status, err)
	}
	f.env = []string{"TUN_MCP_TEST_INSTALLED=1"}
	f.begin("start", f.plan, "--retry-failed").ends(0)
	f.allDone(1)
}

// A start that was killed leaves an interrupted campaign, which cancel ends by itself.
func TestCancelAfterKill(t *testing.T) {
	f := newField(t, slowPlan)
	start := f.begin("start", f.plan)
	f.ended(2)
	if err := start.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-start.ended
	f.noneAlive()
	for range 2 { // the second time it says the same
		if out := f.begin("cancel", f.plan).ends(0); !strings.Contains(out, "never ran") {
			t.Errorf("cancel says %s", out)
		}
	}
	if sum, err := sumOf(f.folder); err != nil || sum.Ended() != 16 || sum.Cancelled == 0 {
		t.Errorf("the results are %+v, %v", sum, err)
	}
}
