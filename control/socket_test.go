package control

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// withVariables sets the variables that say where control sockets are. "" unsets a
// variable.
func withVariables(t *testing.T, runtime, temporary string) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	t.Setenv("TMPDIR", temporary)
	if temporary == "" {
		os.Unsetenv("TMPDIR") // Setenv restores it
	}
}

// A server and a command find each other with any combination of variables.
// An MCP client starts a server with HOME and PATH alone; a terminal has
// TMPDIR, on macOS, or XDG_RUNTIME_DIR.
func TestBothEndsLookInOnePlace(t *testing.T) {
	a, b := tuntest.RuntimeDir(t), tuntest.RuntimeDir(t)
	for _, test := range []struct{ server, command [2]string }{
		{[2]string{"", ""}, [2]string{a, ""}},
		{[2]string{"", ""}, [2]string{"", b}},
		{[2]string{"", ""}, [2]string{a, b}},
		{[2]string{"", a}, [2]string{"", b}},
		{[2]string{"", a}, [2]string{"", ""}},
		{[2]string{"relative", ""}, [2]string{a, ""}},
		{[2]string{filepath.Join(a, "missing"), ""}, [2]string{"", ""}},
	} {
		withVariables(t, test.server[0], test.server[1])
		l, err := Claim("both")
		if err != nil {
			t.Fatal(err)
		}
		withVariables(t, test.command[0], test.command[1])
		if client, err := Find("both"); err != nil || client.Path != l.Addr().String() {
			t.Errorf("server with %q, command with %q: %v, %v", test.server, test.command, client, err)
		}
		if _, err := Find(""); err != nil {
			t.Errorf("server with %q, command with %q, no name: %v", test.server, test.command, err)
		}
		if again, err := Claim("both"); err == nil {
			again.Close()
			t.Errorf("server with %q, another with %q: both have the name", test.server, test.command)
		}
		l.Close()
	}
}

// XDG_RUNTIME_DIR is used only if it is absolute, as its specification says, and a
// folder that this user owns.
func TestRuntimeFolderOfThisUser(t *testing.T) {
	mine := tuntest.RuntimeDir(t)
	file := filepath.Join(mine, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(mine)
	withVariables(t, "", "")
	fixed := folders()
	for _, dir := range []string{"", ".", "tun", file, filepath.Join(mine, "missing")} {
		withVariables(t, dir, "")
		if got := folders(); !slices.Equal(got, fixed) {
			t.Errorf("with %q the folders are %q, want %q", dir, got, fixed)
		}
	}
	withVariables(t, mine, "")
	if got, want := folders()[0], filepath.Join(mine, "tun-mcp"); got != want {
		t.Errorf("the folder is %s, want %s", got, want)
	}
}

// Root with a user's XDG_RUNTIME_DIR (sudo -E) does not use that folder, because a
// folder of root's in it would lock the user out.
func TestRuntimeFolderOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		tuntest.Unmet(t, errors.New("changing the owner of a folder needs root"))
	}
	theirs := tuntest.RuntimeDir(t)
	if err := os.Chown(theirs, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	withVariables(t, theirs, "")
	l, err := Claim("roots")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if entries, err := os.ReadDir(theirs); err != nil || len(entries) > 0 {
		t.Errorf("the user's folder now has %v, %v", entries, err)
	}
}

// Without variables, the folder depends only on the user.
func TestFoldersWithoutVariables(t *testing.T) {
	withVariables(t, "", tuntest.RuntimeDir(t))
	t.Setenv(fixedVariable, "")
	all := folders()
	if last := all[len(all)-1]; last != filepath.Join("/tmp", fmt.Sprintf("tun-mcp-%d", os.Getuid())) && os.PathSeparator == '/' {
		t.Errorf("the folders are %q", all)
	}
}
