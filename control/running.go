package control

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func others() string {
	if running := Running(); len(running) > 0 {
		return "running: " + strings.Join(running, ", ")
	}
	return "none is running; start one with `tun-mcp agent` or an MCP client"
}

// Running returns the names of the running sessions, newest first, and removes
// the sockets of dead ones.
func Running() []string { return names(running()) }

func names(all []found) []string {
	var names []string
	for _, f := range all {
		names = append(names, f.name)
	}
	return names
}

// mostLikely returns the sessions in the folder where a server with this
// process's environment would be, or all if there are none.
func mostLikely(all []found) []found {
	own := folders()[0]
	mine := slices.DeleteFunc(slices.Clone(all), func(f found) bool { return filepath.Dir(f.path) != own })
	if len(mine) == 0 {
		return all
	}
	return mine
}

// A found is the control socket of a running session.
type found struct {
	name, path string
	when       time.Time // when it was created
}

// running returns the sockets of the running sessions in all folders, newest
// first.
func running() []found {
	dirs := folders()
	if runtimeDir() == "" && os.Getenv(fixedVariable) == "" { // find servers with a runtime directory by their sockets
		dirs = append(dirs, boundElsewhere()...)
	}
	slices.Sort(dirs)
	var all []found
	for _, dir := range slices.Compact(dirs) {
		if trusted(dir) {
			all = append(all, runningIn(dir)...)
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return b.when.Compare(a.when) })
	return all
}

// find returns the socket of the running session of that name.
func find(name string) (path string, ok bool) {
	for _, f := range running() {
		if f.name == name {
			return f.path, true
		}
	}
	return "", false
}

// runningIn returns the sockets of the running sessions in one folder.
func runningIn(dir string) (all []found) {
	entries, _ := os.ReadDir(dir) // entries read before an error count
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".sock")
		if !ok || CheckName(name) != nil {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeType == 0 || info.Mode()&fs.ModeSymlink != 0 {
			continue
		}
		if !alive(path) {
			removeDead(path)
			continue
		}
		all = append(all, found{name, path, info.ModTime()})
	}
	return all
}

// dyingPatience is how long an exited server may still look alive, because its
// descriptors close one by one.
const dyingPatience = time.Second

// RemoveDead removes the control socket at path of a server that has just
// exited. If a process still listens there after a second, it is another server
// and the socket stays.
func RemoveDead(path string) {
	for deadline := time.Now().Add(dyingPatience); alive(path) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	removeDead(path)
}

// removeDead removes a socket unless a new session has taken it over.
func removeDead(path string) {
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return
	}
	defer unlock()
	if !alive(path) {
		os.Remove(path)
	}
}
