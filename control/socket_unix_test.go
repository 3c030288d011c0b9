//go:build unix

package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// nobody is a user other than the one running the test.
const nobody = 65534

// socketFolder sets XDG_RUNTIME_DIR to a new folder, and returns the path in it where
// the folder of the control sockets will be.
func socketFolder(t *testing.T) string {
	t.Helper()
	dir := tuntest.RuntimeDir(t)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	return filepath.Join(dir, "tun-mcp")
}

// listen opens a socket that looks like a live session's.
func listen(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

// untrusted checks that no session is claimed or found in a folder.
func untrusted(t *testing.T, dir string) {
	t.Helper()
	if l, err := Claim("mine"); err == nil {
		l.Close()
		t.Error("a session was claimed")
	} else if !strings.Contains(err.Error(), "is not a folder that you own") {
		t.Errorf("claiming: %v", err)
	}
	if names := Running(); len(names) > 0 {
		t.Errorf("running: %q", names)
	}
	if _, err := Find(""); !errors.Is(err, ErrNoSession) {
		t.Errorf("finding the only one: %v", err)
	}
	if _, err := Find("fake"); err == nil {
		t.Error("the fake session was found")
	}
	if _, err := os.Lstat(filepath.Join(dir, "fake.sock")); err != nil {
		t.Errorf("a file of another user was touched: %v", err)
	}
}

// Another user has created the folder and runs a fake session in it.
func TestFolderOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		tuntest.Unmet(t, errors.New("changing the owner of a folder needs root"))
	}
	for _, mode := range []os.FileMode{0o700, 0o755, 0o777 | os.ModeSticky} {
		t.Run(mode.String(), func(t *testing.T) {
			dir := socketFolder(t)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			listen(t, filepath.Join(dir, "fake.sock"))
			if err := errors.Join(os.Chmod(dir, mode), os.Chown(dir, nobody, nobody)); err != nil {
				t.Fatal(err)
			}
			untrusted(t, dir)
			if info, err := os.Lstat(dir); err != nil || info.Mode() != mode|os.ModeDir {
				t.Errorf("the folder is %v, %v", info.Mode(), err)
			}
		})
	}
}

// The folder is a symbolic link, even if to a folder that we own.
func TestFolderIsALink(t *testing.T) {
	dir := socketFolder(t)
	elsewhere := filepath.Join(filepath.Dir(dir), "elsewhere")
	if err := errors.Join(os.Mkdir(elsewhere, 0o700), os.Symlink(elsewhere, dir)); err != nil {
		t.Fatal(err)
	}
	listen(t, filepath.Join(elsewhere, "fake.sock"))
	untrusted(t, dir)
}

// Commands ignore a folder that others can write to. The next server fixes its mode.
func TestFolderOpenToOthers(t *testing.T) {
	dir := socketFolder(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	listen(t, filepath.Join(dir, "fake.sock"))
	if err := os.Chmod(dir, 0o777); err != nil { // Mkdir's mode is subject to the umask
		t.Fatal(err)
	}
	if names := Running(); len(names) > 0 {
		t.Errorf("running: %q", names)
	}
	l, err := Claim("mine")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, SocketPath("mine"): os.ModeSocket | 0o600} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s is %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	if names := fmt.Sprint(Running()); names != "[mine fake]" && names != "[fake mine]" {
		t.Errorf("running: %s", names)
	}
}

// Files in the folder that are not session sockets are neither listed nor removed,
// whatever their names.
func TestOddNamesInTheFolder(t *testing.T) {
	dir := socketFolder(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(filepath.Dir(dir), "o")
	listen(t, outside)
	odd := []string{"\x1b[31mred.sock", "two words.sock", "a\n#9 84 bytes written.sock", ".sock", strings.Repeat("n", 33) + ".sock"}
	for _, name := range odd {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	odd = append(odd, "link.sock", "file.sock")
	if err := errors.Join(os.Symlink(outside, filepath.Join(dir, "link.sock")), os.WriteFile(filepath.Join(dir, "file.sock"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if names := Running(); len(names) > 0 {
		t.Errorf("running: %q", names)
	}
	for _, name := range odd {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%q was removed: %v", name, err)
		}
	}
}

// A dead server's socket is removed, but not a socket that a new server has put in
// its place in the meantime.
func TestRemoveDead(t *testing.T) {
	dir := socketFolder(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := SocketPath("dead")
	die := func() {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
	}
	die()
	RemoveDead(path)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Fatalf("the socket of a dead server: %v", err)
	}

	die()
	unlock, err := lockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	removed := make(chan struct{})
	go func() {
		RemoveDead(path)
		close(removed)
	}()
	// As Claim does under the lock, even if the other process has found it dead.
	os.Remove(path)
	listen(t, path)
	unlock()
	<-removed
	if !alive(path) {
		t.Error("a new server's socket was removed")
	}
}
