package tun_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func init() {
	// probe prints the findings about this machine.
	roles["probe"] = func() { json.NewEncoder(os.Stdout).Encode(tun.Probe()) }
}

// The doctor is satisfied after its own advice was followed.
func TestProbeHost(t *testing.T) {
	if !tuntest.InNamespace(t) {
		return
	}
	tuntest.RequireProgram(t, "setpriv")
	probe := func() tun.Finding {
		t.Helper()
		var found []tun.Finding
		out, err := again(t, "probe", "setpriv", "--bounding-set=-net_admin").Output()
		if err == nil {
			err = json.Unmarshal(out, &found)
		}
		i := slices.IndexFunc(found, func(f tun.Finding) bool { return f.What == "host network" })
		if err != nil || i < 0 {
			t.Fatalf("%v in %s", err, out)
		}
		return found[i]
	}
	f := probe()
	_, commands, found := strings.Cut(f.Todo, "only if you want the real machine's network: ")
	if f.OK || !found {
		t.Fatalf("without a device: %+v", f)
	}
	for command := range strings.SplitSeq(commands, "; ") {
		tuntest.Run(t, strings.TrimPrefix(command, "sudo "))
	}
	if f := probe(); !f.OK || f.Detail != "the device tunmcp0 belongs to this user" || f.Todo != "" {
		t.Errorf("with this user's device: %+v", f)
	}
	openHost(t, tun.Config{})
	if f := probe(); !f.OK || f.Detail != "the device tunmcp0 belongs to this user; it is in use" {
		t.Errorf("with this user's device in use: %+v", f)
	}
}
