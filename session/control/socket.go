package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// CheckName says why name cannot be a session's, nil if it can.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("session name %q: accepted are 1 to 32 letters, digits, dots, dashes and underscores, a letter or digit first", name)
	}
	return nil
}

// SocketPath returns where the control socket of a session is, or would be:
// $XDG_RUNTIME_DIR/tun-mcp/NAME.sock, or where that variable mostly points if it
// is not set, else in a folder of this user's under the temporary directory.
func SocketPath(name string) string { return filepath.Join(folder(), name+".sock") }

func folder() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "tun-mcp")
	}
	return folderWithout(fmt.Sprintf("/run/user/%d", os.Getuid()))
}

// folderWithout is the folder of sockets without XDG_RUNTIME_DIR. Many MCP
// clients start their servers without it (the SDKs pass HOME, PATH and little
// more), while the terminal that `ping` and `exec` are typed in has it: both
// look in the folder that systemd makes for the user.
func folderWithout(runtime string) string {
	if info, err := os.Lstat(runtime); err == nil && info.IsDir() && ownedByUs(info) {
		return filepath.Join(runtime, "tun-mcp")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("tun-mcp-%d", os.Getuid()))
}

// longestPath is what a Unix socket's address holds on every system, in bytes.
const longestPath = 103

// Claim opens the control socket of a new session. It fails if a session of
// that name is alive; the socket of a dead one is removed and taken over.
func Claim(name string) (net.Listener, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	path := SocketPath(name)
	if len(path) > longestPath {
		return nil, fmt.Errorf("opening the control socket %s: the path has %d bytes, a socket's has up to %d; set XDG_RUNTIME_DIR to a shorter folder", path, len(path), longestPath)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the control socket: %w; set XDG_RUNTIME_DIR to a folder that you may write to", err)
	}
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	// Two servers that find the same dead socket at the same moment must not
	// remove each other's new one.
	unlock, err := lockFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("locking the folder %s: %w", dir, err)
	}
	defer unlock()
	if _, err := os.Lstat(path); err == nil {
		if alive(path) {
			return nil, fmt.Errorf("a session named %q is running already: give this one another name with --session, or end that one", name)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("removing the socket of a dead session: %w", err)
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("protecting the control socket: %w", err)
	}
	file, err := os.Lstat(path)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("looking at the control socket: %w", err)
	}
	return &claim{listener.(*net.UnixListener), file}, nil
}

// A claim listens on a control socket. At its end it removes the socket, but
// not one that a later session made at the same place: somebody may have
// removed this one under way.
type claim struct {
	*net.UnixListener
	file os.FileInfo // of the socket
}

func (c *claim) Close() error {
	if now, err := os.Lstat(c.Addr().String()); err != nil || !os.SameFile(c.file, now) {
		c.SetUnlinkOnClose(false)
	}
	return c.UnixListener.Close()
}

// checkFolder refuses a folder that others could have prepared or can enter.
func checkFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("looking at the folder of the control socket: %w", err)
	}
	if !info.IsDir() || !ownedByUs(info) {
		return fmt.Errorf("the folder of the control socket, %s, is not a folder of yours: remove it, or set XDG_RUNTIME_DIR to a folder of yours", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("protecting the folder of the control socket: %w", err)
		}
	}
	return nil
}

// trusted tells whether the folder of the control sockets is there and nobody
// else can have put a socket into it: who answers there names the process whose
// namespaces exec enters. It does not mend the folder, as Claim does.
func trusted(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && ownedByUs(info) && !writableByOthers(info)
}

// alive tells whether somebody listens at path. Only a plain refusal, or a
// path that is gone, counts as dead: a busy server must not lose its socket.
func alive(path string) bool {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return true
	}
	return !refused(err) && !errors.Is(err, os.ErrNotExist)
}
