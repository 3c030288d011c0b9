package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// fullDisk runs a campaign on its own small disk. The disk is nearly full at first,
// so that no trial starts. Then it has room, fills up during trials, and has room
// again.
const fullDisk = `set -e
D=$1 P=$2
mount -t tmpfs -o size=64m disk "$D/disk"
ballast() { dd if=/dev/zero of="$D/disk/ballast" bs=1M count="$1" 2>/dev/null || true; }
campaign() { "$P" start "$D/p.yaml" --folder "$D/disk/c" --tun-mcp "$P" --lease 2s >>"$D/log" 2>&1; }
await() { n=0; until eval "$1"; do n=$((n+1)); [ $n -lt 600 ] || { echo "waited a minute until $1"; cat "$D/log"; kill $start; exit 1; }; sleep 0.1; done; }
ballast 40
campaign & start=$!
await 'grep -q "no trial starts" "$D/log"'
rm "$D/disk/ballast"
await '[ "$(wc -l <"$D/disk/c/results.jsonl")" -ge 3 ]'
ballast 100
sleep 1
rm "$D/disk/ballast"
wait $start || campaign
cp -R "$D/disk/c" "$D/kept"
`

func TestDiskFull(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} slow 300ms", parallel: 2}]
scenarios: [ping]
repetitions: 12
limits: {wait: 100ms}
`)
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		tuntest.Unmet(t, err)
	}
	if out, err := exec.Command(unshare, "--user", "--map-root-user", "--mount", "true").CombinedOutput(); err != nil {
		tuntest.Unmet(t, fmt.Errorf("creating a mount namespace: %w: %s", err, out))
	}
	base := f.command("report")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, unshare, "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
		`mkdir "$1/disk"; `+fullDisk, "sh", f.home, base.Path)
	cmd.Env = base.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f.folder = record.Folder(filepath.Join(f.home, "kept"))
	for _, r := range f.allDone(12) {
		if strings.Contains(r.Reason, "no space") {
			t.Errorf("%s: %s", r.Cell, r.Reason)
		}
	}
}
