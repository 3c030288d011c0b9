package main

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// belongings are the processes of a campaign's trials and their network namespaces.
type belongings struct {
	processes  map[string]bool // by id
	namespaces map[string]bool // without this process's own
}

// belongingsOf finds the processes with this text in their environment, their
// children in other namespaces, and the processes in a namespace of known. The
// children count because holders have an empty environment.
func belongingsOf(t *testing.T, variable string, known map[string]bool) belongings {
	t.Helper()
	found := belongings{make(map[string]bool), make(map[string]bool)}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths { // processes that end meanwhile are left out
		if environ, err := os.ReadFile(filepath.Join(path, "environ")); err == nil && bytes.Contains(environ, []byte(variable)) {
			found.processes[filepath.Base(path)] = true
		}
	}
	for _, path := range paths {
		stat, err := os.ReadFile(filepath.Join(path, "stat"))
		if err != nil {
			continue
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		namespace, err := os.Readlink(filepath.Join(path, "ns/net"))
		if err != nil || namespace == own {
			continue
		}
		if id := filepath.Base(path); found.processes[id] || found.processes[string(fields[1])] || known[namespace] {
			found.processes[id], found.namespaces[namespace] = true, true
		}
	}
	return found
}

// Real trials leave no process, namespace or socket behind, whether they end
// normally, are interrupted or their campaign is killed.
func TestNothingIsLeft(t *testing.T) {
	tuntest.RequirePrivate(t)
	f := newField(t, `
agents: [{name: a, agent: builtin, mistake: late, parallel: 2}]
scenarios: [ping]
repetitions: 2
count: 3
deadline: 2s
network: private
limits: {wait: 100ms}
`)
	f.useReal()
	runtime := t.TempDir()
	variable := "TUN_MCP_RUNTIME_DIR=" + runtime
	f.env = []string{variable}
	sockets := func() (paths []string) {
		_ = filepath.WalkDir(runtime, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				paths = append(paths, path)
			}
			return nil
		})
		return paths
	}
	known := make(map[string]bool)
	during := func() {
		t.Helper()
		await(t, "a trial has a namespace and a socket", func() bool {
			maps.Copy(known, belongingsOf(t, variable, nil).namespaces)
			return len(known) > 0 && len(sockets()) > 0
		})
	}
	nothing := func() {
		t.Helper()
		await(t, "nothing is left", func() bool {
			left := belongingsOf(t, variable, known)
			return len(left.processes) == 0 && len(left.namespaces) == 0 && len(sockets()) == 0
		})
	}
	start := f.begin("start", f.plan, "--lease", "1s")
	during()
	if err := start.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-start.ended
	nothing()
	f.begin("start", f.plan, "--lease", "1s").ends(0)
	nothing()
	f.allDone(2)

	other := f.begin("start", f.plan, "--folder", t.TempDir())
	clear(known)
	during()
	other.interrupt()
	other.says("waiting for the running trials")
	other.interrupt()
	other.ends(1)
	nothing()
}
