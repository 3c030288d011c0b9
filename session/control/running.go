package control

import (
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

func others() string {
	if running := Running(); len(running) > 0 {
		return "running: " + strings.Join(running, ", ")
	}
	return "none is running: start one with `tun-mcp agent` or an MCP client"
}

// Running lists the names of the running sessions, the newest first, and
// removes what dead ones left behind.
func Running() []string {
	type found struct {
		name string
		when time.Time
	}
	var all []found
	dir := folder()
	if !trusted(dir) {
		return nil
	}
	entries, _ := os.ReadDir(dir) // what can be read of it
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
		all = append(all, found{name, info.ModTime()})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].when.After(all[j].when) })
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return names
}

// dyingPatience is how long a server that is gone may still look alive: its
// descriptors close one after the other.
const dyingPatience = time.Second

// RemoveDead removes the control socket at path of a server that has just gone.
// If one listens there after a second it is another's, and stays.
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
