package control

import (
	"os"
	"path/filepath"
	"strings"
)

// boundElsewhere returns the folders of all control sockets that the kernel
// lists, to find servers with another XDG_RUNTIME_DIR. It does not check
// whether a folder can be trusted.
func boundElsewhere() []string {
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil
	}
	var all []string
	for line := range strings.Lines(string(table)) {
		at := strings.Index(line, " /")
		if at < 0 {
			continue
		}
		dir, file := filepath.Split(strings.TrimSuffix(line[at+1:], "\n"))
		if strings.HasSuffix(file, ".sock") && filepath.Base(dir) == "tun-mcp" {
			all = append(all, filepath.Clean(dir))
		}
	}
	return all
}
