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

// nobody is a user that is not the one who runs the test.
const nobody = 65534

// runtimeDir makes a folder for the folder of the control sockets and returns
// where that will be.
func runtimeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm") // short: a socket's path has 103 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	return filepath.Join(dir, "tun-mcp")
}

// listen opens a socket that answers as a live session's does.
func listen(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

// untrusted wants that no session is claimed in a folder, and none found.
func untrusted(t *testing.T, dir string) {
	t.Helper()
	if l, err := Claim("mine"); err == nil {
		l.Close()
		t.Error("a session was claimed")
	} else if !strings.Contains(err.Error(), "is not a folder of yours") {
		t.Errorf("claiming: %v", err)
	}
	if names := Running(); len(names) > 0 {
		t.Errorf("running: %q", names)
	}
	if _, err := Find(""); !errors.Is(err, ErrNoSession) {
		t.Errorf("finding the newest: %v", err)
	}
	if _, err := Find("fake"); err == nil {
		t.Error("the fake session was found")
	}
	if _, err := os.Lstat(filepath.Join(dir, "fake.sock")); err != nil {
		t.Errorf("what somebody else has there was touched: %v", err)
	}
}

// Another user made the folder first and waits in it with a session.
func TestFolderOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		tuntest.Unmet(t, errors.New("it needs root, to give a folder to another user"))
	}
	for _, mode := range []os.FileMode{0o700, 0o755, 0o777 | os.ModeSticky} {
		t.Run(mode.String(), func(t *testing.T) {
			dir := runtimeDir(t)
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

// A link stands where the folder should be: to a folder of ours, even.
func TestFolderIsALink(t *testing.T) {
	dir := runtimeDir(t)
	elsewhere := filepath.Join(filepath.Dir(dir), "elsewhere")
	if err := errors.Join(os.Mkdir(elsewhere, 0o700), os.Symlink(elsewhere, dir)); err != nil {
		t.Fatal(err)
	}
	listen(t, filepath.Join(elsewhere, "fake.sock"))
	untrusted(t, dir)
}

// A folder that others may write to is not looked into, and is mended by the
// next server.
func TestFolderOpenToOthers(t *testing.T) {
	dir := runtimeDir(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	listen(t, filepath.Join(dir, "fake.sock"))
	if err := os.Chmod(dir, 0o777); err != nil { // Mkdir's mode passes the umask
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

// What is in the folder and is no session's socket is left alone and never
// shown, whatever it is called.
func TestOddNamesInTheFolder(t *testing.T) {
	dir := runtimeDir(t)
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

// A dead server's socket is removed, but not one that a new server has put in
// its place while somebody was about to remove it.
func TestRemoveDead(t *testing.T) {
	dir := runtimeDir(t)
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
	// As Claim does under the lock, whether the other has found it dead or not.
	os.Remove(path)
	listen(t, path)
	unlock()
	<-removed
	if !alive(path) {
		t.Error("a new server's socket was removed")
	}
}
