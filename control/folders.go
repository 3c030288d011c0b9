package control

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// fixedVariable names an environment variable with an absolute folder that
// replaces the per-user folders. Tests use it for isolation.
const fixedVariable = "TUN_MCP_RUNTIME_DIR"

// folders returns the folders for control sockets, the preferred one first. A
// server uses the first; commands search all of them.
//
// Many MCP clients start their servers with HOME, PATH and little more, while
// the terminal that `ping` and `exec` are typed in has XDG_RUNTIME_DIR or
// TMPDIR. So the list ends with a folder that depends only on the user, which
// both can find.
func folders() []string {
	var all []string
	if dir := runtimeDir(); dir != "" {
		all = append(all, filepath.Join(dir, "tun-mcp"))
	}
	user := fmt.Sprintf("tun-mcp-%d", os.Getuid())
	if dir := os.Getenv(fixedVariable); filepath.IsAbs(dir) {
		return append(all, filepath.Join(dir, user))
	}
	if dir := fmt.Sprintf("/run/user/%d", os.Getuid()); isOurs(dir) && dir != runtimeDir() { // systemd creates it
		all = append(all, filepath.Join(dir, "tun-mcp"))
	}
	if runtime.GOOS == "windows" {
		return append(all, filepath.Join(os.TempDir(), user))
	}
	return append(all, filepath.Join("/tmp", user)) // not TMPDIR, which differs between processes
}

// runtimeDir returns XDG_RUNTIME_DIR if it is absolute (XDG Base Directory
// Specification) and a folder that this user owns, or "". If root ran with
// another user's variable, its folder there would lock that user out.
func runtimeDir() string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) || !isOurs(dir) {
		return ""
	}
	return filepath.Clean(dir)
}

// isOurs reports whether dir is a folder that this user owns, or a link to one.
func isOurs(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && ownedByUs(info)
}
