package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// CheckName returns the reason why name cannot be a session name, or nil.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("session name %q: accepted are 1 to 32 letters, digits, dots, dashes and underscores, a letter or digit first", name)
	}
	return nil
}

// SocketPath returns the path for the control socket of a new session:
// $XDG_RUNTIME_DIR/tun-mcp/NAME.sock if that variable names a folder that this
// user owns, and otherwise a path in a per-user folder, see folders.
func SocketPath(name string) string { return filepath.Join(folders()[0], name+".sock") }

// longestPath is the longest Unix socket path that every system supports, in
// bytes.
const longestPath = 103

// Claim opens the control socket of a new session. It fails if a session of
// that name is running. It replaces the socket of a dead one.
func Claim(name string) (net.Listener, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	path := SocketPath(name)
	if len(path) > longestPath {
		return nil, fmt.Errorf("opening the control socket %s: the path has %d bytes, at most %d are accepted; set XDG_RUNTIME_DIR to a shorter path", path, len(path), longestPath)
	}
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the folder of the control socket: %w; set XDG_RUNTIME_DIR to a folder that you own", err)
	}
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	if _, ok := find(name); ok { // in any folder
		return nil, taken(name)
	}
	// Two servers that find the same dead socket at the same time must not
	// remove each other's new socket.
	unlock, err := lockFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("locking the folder %s: %w", dir, err)
	}
	defer unlock()
	if _, err := os.Lstat(path); err == nil {
		if alive(path) {
			return nil, taken(name)
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

func taken(name string) error {
	return fmt.Errorf("a session named %q is already running; give this one another name with --session, or end the other", name)
}

// A claim listens on a control socket. Close removes the socket, but not one
// that a later session created at the same path after someone removed this one.
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

// checkFolder returns an error for a folder that another user could have
// prepared or can enter.
func checkFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("looking at the folder of the control socket: %w", err)
	}
	if !info.IsDir() || !ownedByUs(info) {
		return fmt.Errorf("the folder of the control socket, %s, is not a folder that you own; remove it, or set XDG_RUNTIME_DIR to a folder that you own", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("protecting the folder of the control socket: %w", err)
		}
	}
	return nil
}

// trusted reports whether the folder for control sockets exists and no other
// user can have put a socket into it: the server there names the process whose
// namespaces exec enters. Unlike Claim, it does not fix the folder.
func trusted(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && ownedByUs(info) && !writableByOthers(info)
}

// alive reports whether a process listens at path. Only a refused connection or
// a missing path counts as dead: a busy server must not lose its socket.
func alive(path string) bool {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return true
	}
	return !refused(err) && !errors.Is(err, os.ErrNotExist)
}
