package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/clients"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A homeOf is a home folder with configurations of clients.
type homeOf struct {
	t    *testing.T
	home string
}

func newHome(t *testing.T) homeOf {
	t.Helper()
	return homeOf{t, t.TempDir()}
}

// file returns the path of a client's configuration.
func (h homeOf) file(id string) string {
	h.t.Helper()
	c, ok := clients.Find(id)
	if !ok {
		h.t.Fatalf("no client %s", id)
	}
	return c.Files(clients.Machine{OS: runtime.GOOS, Home: h.home, Getenv: func(string) string { return "" }})[0]
}

// put writes a configuration: the client's sample, or text if it is not nil.
func (h homeOf) put(id string, mode os.FileMode, text []byte) []byte {
	h.t.Helper()
	if text == nil {
		files, err := filepath.Glob("clients/testdata/" + id + ".[jt]*")
		if err != nil || len(files) != 1 {
			h.t.Fatalf("%s has %d samples, %v", id, len(files), err)
		}
		if text, err = os.ReadFile(files[0]); err != nil {
			h.t.Fatal(err)
		}
	}
	path := h.file(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, mode); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // WriteFile's mode is subject to the umask
		h.t.Fatal(err)
	}
	return text
}

// install runs `tun-mcp install` and returns its output and exit status.
func (h homeOf) install(args ...string) (string, int) {
	h.t.Helper()
	cmd := exec.Command(program, append([]string{"install"}, args...)...)
	cmd.Env = []string{"HOME=" + h.home, "PATH=" + h.t.TempDir()} // none of the clients' commands is on it
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// holds checks that a configuration contains a text.
func (h homeOf) holds(id string, want []byte) {
	h.t.Helper()
	if got, err := os.ReadFile(h.file(id)); err != nil || !bytes.Equal(got, want) {
		h.t.Errorf("%s: %v, the configuration is\n%s\nwant\n%s", id, err, got, want)
	}
}

// install edits existing configurations and keeps their modes and links, and --remove
// restores them byte for byte.
func TestInstallThereAndBack(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	before := map[string][]byte{}
	for i, id := range clients.IDs() {
		before[id] = h.put(id, []os.FileMode{0o600, 0o644}[i%2], nil)
	}
	// One is a link, as for users who keep their dotfiles in a repository.
	kept := filepath.Join(t.TempDir(), "cursor.json")
	if err := os.Rename(h.file("cursor"), kept); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(kept, h.file("cursor")); err != nil {
		t.Fatal(err)
	}

	out, status := h.install("--yes", "--", "--network", "memory")
	if status != 0 {
		t.Fatalf("status %d\n%s", status, out)
	}
	for i, id := range clients.IDs() {
		text, err := os.ReadFile(h.file(id))
		if err != nil || !strings.Contains(string(text), program) || !strings.Contains(string(text), `"--network", "memory"`) {
			t.Errorf("%s: %v\n%s", id, err, text)
		}
		if info, err := os.Stat(h.file(id)); err != nil || info.Mode().Perm() != []os.FileMode{0o600, 0o644}[i%2] && runtime.GOOS != "windows" {
			t.Errorf("%s has the mode %v, %v", id, info.Mode(), err)
		}
	}
	if to, err := os.Readlink(h.file("cursor")); err != nil || to != kept {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if out, status := h.install("--yes", "--", "--network", "memory"); status != 0 || strings.Count(out, "already installed") != len(clients.IDs()) || !strings.Contains(out, "nothing to do") {
		t.Errorf("again: status %d\n%s", status, out)
	}
	if out, status := h.install("--yes"); status != 1 || strings.Count(out, "its server tun is tun-mcp with another command or flags; remove it first") != len(clients.IDs()) {
		t.Errorf("without the flags: status %d\n%s", status, out)
	}
	if out, status := h.install("--remove", "--yes"); status != 0 {
		t.Fatalf("status %d\n%s", status, out)
	}
	for _, id := range clients.IDs() {
		h.holds(id, before[id])
	}
	if left, _ := filepath.Glob(filepath.Join(h.home, "*", ".tun-mcp-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A configuration that cannot be parsed, or is not a file, is left alone and named. The
// others are written.
func TestInstallLeavesAlone(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	codex := h.put("codex", 0o600, nil)
	broken := h.put("gemini", 0o600, []byte("{\n  \"mcpServers\": {\n"))
	other := h.put("zed", 0o600, []byte(`{"context_servers": {"tun": {"command": "tun-of-another"}}}`))
	if err := os.MkdirAll(h.file("cursor"), 0o755); err != nil { // a folder in place of the file
		t.Fatal(err)
	}
	out, status := h.install("--yes")
	for _, want := range []string{
		"Gemini CLI, " + h.file("gemini") + ": left alone: line 3",
		"Zed, " + h.file("zed") + ": left alone: it has a server named tun that install did not write",
		"Cursor, " + h.file("cursor") + ": left alone: it is not a regular file",
		"Codex CLI: done",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	h.holds("gemini", broken)
	h.holds("zed", other)
	if text, err := os.ReadFile(h.file("codex")); err != nil || !bytes.HasPrefix(text, codex) {
		t.Errorf("codex: %v\n%s", err, text)
	}
	if out, status := h.install("--yes", "--remove", "zed"); status != 1 {
		t.Errorf("another's server: status %d\n%s", status, out)
	}
	h.holds("zed", other)
}

// Nothing is written without --yes if nobody can be asked, nor with --dry-run.
func TestInstallAsks(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	before := h.put("codex", 0o600, nil)
	out, status := h.install()
	if status != 2 || !strings.Contains(out, "[mcp_servers.tun]") || !strings.Contains(out, "nothing was written: stdin is not a terminal, so install cannot ask; use --yes") {
		t.Errorf("status %d\n%s", status, out)
	}
	h.holds("codex", before)
	if out, status := h.install("--dry-run", "--yes"); status != 0 || !strings.Contains(out, `+ command = "`+program+`"`) {
		t.Errorf("status %d\n%s", status, out)
	}
	h.holds("codex", before)
	if out, status := newHome(t).install(); status != 1 || !strings.Contains(out, "no MCP client found; name one") {
		t.Errorf("in an empty home: status %d\n%s", status, out)
	}
	if out, status := h.install("emacs"); status != 2 || !strings.Contains(out, `unknown client "emacs"; accepted: claude-code, `) {
		t.Errorf("an unknown client: status %d\n%s", status, out)
	}
}

// If a client is named, its configuration is created, and removed again.
func TestInstallMakesAFile(t *testing.T) {
	t.Parallel()
	for _, id := range clients.IDs() {
		h := newHome(t)
		if out, status := h.install("--yes", id); status != 0 {
			t.Errorf("%s: status %d\n%s", id, status, out)
		}
		info, err := os.Stat(h.file(id))
		if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s: %v, %v", id, info, err)
		}
		if out, status := h.install("--yes", "--remove"); status != 0 {
			t.Errorf("%s: status %d\n%s", id, status, out)
		}
		if _, err := os.Stat(h.file(id)); !os.IsNotExist(err) {
			t.Errorf("%s: the file is still there: %v", id, err)
		}
	}
}

// The real clients list the server that install has written into their files, and do
// not list it after --remove.
func TestInstallForClaude(t *testing.T) {
	installForRealClient(t, "claude-code", "TUN_MCP_CLAUDE", "tun:")
}
func TestInstallForCodex(t *testing.T)  { installForRealClient(t, "codex", "TUN_MCP_CODEX", "tun ") }
func TestInstallForGemini(t *testing.T) { installForRealClient(t, "gemini", "TUN_MCP_GEMINI", "tun:") }

// installForRealClient installs the server for a client, whose path is in an
// environment variable, and removes it. The line in the client's list begins with seen.
func installForRealClient(t *testing.T, id, variable, seen string) {
	path := realClient(t, variable)
	h := newHome(t)
	h.put(id, 0o600, nil)
	list := func() string {
		t.Helper()
		cmd := exec.Command(path, "mcp", "list")
		cmd.Dir = t.TempDir()
		cmd.Env = []string{"HOME=" + h.home, "PATH=" + os.Getenv("PATH"), "TUN_MCP_RUNTIME_DIR=" + os.Getenv("TUN_MCP_RUNTIME_DIR"),
			"GEMINI_CLI_TRUST_WORKSPACE=true", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1",
			"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9"} // nothing leaves this machine
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
		return string(out)
	}
	if out, status := h.install("--yes", id, "--", "--network", "memory"); status != 0 {
		t.Fatalf("status %d\n%s", status, out)
	}
	lines := func(text string) bool {
		return slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
			return strings.Contains(line, seen) && strings.Contains(line, program)
		})
	}
	if text := list(); !lines(text) {
		t.Errorf("the client does not see it:\n%s", text)
	}
	if out, status := h.install("--yes", "--remove", id); status != 0 {
		t.Fatalf("status %d\n%s", status, out)
	}
	if text := list(); lines(text) {
		t.Errorf("the client still sees it:\n%s", text)
	}
}

// realClient returns the path of a real client from an environment variable.
func realClient(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		tuntest.Unmet(t, fmt.Errorf("%s is not set: .ci/run installs the client and sets it", variable))
	}
	return path
}
